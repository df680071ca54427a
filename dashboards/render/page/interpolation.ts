// Variables inside PromQL, as Grafana's Prometheus data source fills them in.
import { rangeUtil, type ScopedVars, type TimeRange } from '@grafana/data';
import { sceneGraph, type SceneObject } from '@grafana/scenes';

interface VariableModel {
  multi?: boolean;
  includeAll?: boolean;
}

// Values of multi-value variables are part of a regular expression inside a PromQL string.
function formatValue(value: unknown, variable: VariableModel) {
  if (!variable.multi && !variable.includeAll) {
    return String(value);
  }
  const values = (Array.isArray(value) ? value : [value]).map((one) => String(one).replace(/[\\^$*+?.()|[\]{}]/g, '\\\\$&'));
  return values.length === 1 ? values[0] : `(${values.join('|')})`;
}

const duration = (milliseconds: number) => `${Math.max(1, Math.round(milliseconds))}ms`;
const builtin = (value: string | number) => ({ text: String(value), value });

/** Grafana's rule: long enough for four scrapes, whatever the resolution. */
function rateInterval(step: number, scrapeInterval: number) {
  return Math.max(step + scrapeInterval, 4 * scrapeInterval);
}

export interface Resolution {
  range: TimeRange;
  /** Milliseconds between the points that are asked for. */
  step: number;
  /** The query's own smallest step or else the data source's, for example 15s. */
  scrapeInterval: string;
}

/** What Grafana calls built-in variables, next to those of the dashboard. */
export function builtinVariables({ range, step, scrapeInterval }: Resolution): ScopedVars {
  const span = range.to.valueOf() - range.from.valueOf();
  return {
    __interval: builtin(duration(step)),
    __interval_ms: builtin(step),
    __rate_interval: builtin(duration(rateInterval(step, rangeUtil.intervalToMs(scrapeInterval)))),
    __range: builtin(duration(span)),
    __range_s: builtin(Math.round(span / 1000)),
    __range_ms: builtin(span),
  };
}

/** The scene object on whose behalf a request is made: a query runner, a variable, a layer of annotations. */
export const requester = (scopedVars: ScopedVars | undefined): SceneObject => scopedVars?.__sceneObject?.value.valueOf();

export const interpolate = (text: string, scopedVars: ScopedVars) =>
  sceneGraph.interpolate(requester(scopedVars), text, scopedVars, formatValue as Parameters<typeof sceneGraph.interpolate>[3]);
