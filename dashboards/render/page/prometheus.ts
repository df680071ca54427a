// The Prometheus data source: queries of panels and annotations, and values of variables.
import {
  LoadingState,
  rangeUtil,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type MetricFindValue,
  type ScopedVars,
} from '@grafana/data';
import { RuntimeDataSource, type SceneObject } from '@grafana/scenes';
import type { DataQuery } from '@grafana/schema';

import { annotationSupport } from './annotations';
import { get, post } from './api';
import { countNumbers, heatmapFrames, tableFrame, timeSeriesFrames, type PrometheusSeries } from './frames';
import { builtinVariables, interpolate, requester } from './interpolation';

export const PROMETHEUS_UID = 'prometheus';
const MAX_POINTS = 11000; // Prometheus refuses to return more of a series.

export interface PrometheusQuery extends DataQuery {
  expr: string;
  instant?: boolean;
  range?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
  legendFormat?: string;
  interval?: string;
}

/** What one query gave; `numbers` counts its samples without those that are not a number. */
export interface QueryOutcome {
  refId: string;
  expr: string;
  series: number;
  numbers: number;
  error?: string;
}

type Answer = { result: PrometheusSeries[] };

export class PrometheusDataSource extends RuntimeDataSource<PrometheusQuery> {
  readonly outcomes = new WeakMap<SceneObject, QueryOutcome[]>();
  annotations = annotationSupport;

  constructor(scrapeInterval: string) {
    super('prometheus', PROMETHEUS_UID);
    this.interval = scrapeInterval;
  }

  /** Answers what can be answered: queries that fail are told beside the frames of the others. */
  async query(request: DataQueryRequest<PrometheusQuery>): Promise<DataQueryResponse> {
    const targets = request.targets.filter((target) => !target.hide && target.expr);
    const outcomes: QueryOutcome[] = [];
    const tables = targets.filter((target) => target.format === 'table').length;
    const answers = await Promise.all(
      targets.map((target) => this.answer(request, target, tables > 1 ? `Value #${target.refId}` : 'Value', outcomes))
    );
    this.outcomes.set(requester(request.scopedVars), outcomes);
    const errors = outcomes.filter((one) => one.error).map((one) => ({ refId: one.refId, message: one.error }));
    return { data: answers.flat(), errors, state: errors.length > 0 ? LoadingState.Error : LoadingState.Done };
  }

  private async answer(
    request: DataQueryRequest<PrometheusQuery>, target: PrometheusQuery, valueName: string, outcomes: QueryOutcome[]
  ): Promise<DataFrame[]> {
    const { range } = request;
    const smallest = rangeUtil.intervalToMs(target.interval || '1ms');
    const safe = (range.to.valueOf() - range.from.valueOf()) / MAX_POINTS;
    const step = Math.max(request.intervalMs, smallest, safe);
    const resolution = { range, step, scrapeInterval: target.interval || this.interval! };
    const variables: ScopedVars = { ...request.scopedVars, ...builtinVariables(resolution) };
    const expr = interpolate(target.expr, variables);
    const outcome: QueryOutcome = { refId: target.refId, expr, series: 0, numbers: 0 };
    outcomes.push(outcome);
    try {
      const { result } = await this.ask(expr, request, target, step);
      outcome.series = result.length;
      outcome.numbers = countNumbers(result);
      if (target.format === 'table') {
        return [tableFrame(result, target.refId, valueName)];
      }
      if (target.format === 'heatmap') {
        return heatmapFrames(result, target.refId, step);
      }
      const legend = target.legendFormat;
      return timeSeriesFrames(result, {
        refId: target.refId, expr, legend, step: target.instant ? undefined : step,
        interpolate: (text) => interpolate(text, variables),
      });
    } catch (error) {
      outcome.error = (error as Error).message;
      return [];
    }
  }

  private ask(expr: string, { range }: DataQueryRequest, target: PrometheusQuery, stepMs: number): Promise<Answer> {
    const [from, to, step] = [range.from.valueOf() / 1000, range.to.valueOf() / 1000, stepMs / 1000];
    if (target.instant) {
      return post('query', { query: expr, time: to });
    }
    // Aligned, so that a graph does not change its shape from one refresh to the next.
    const [start, end] = [from, to].map((time) => Math.floor(time / step) * step);
    return post('query_range', { query: expr, start, end, step });
  }

  async metricFindQuery(query: string | { query: string }, request: DataQueryRequest): Promise<MetricFindValue[]> {
    const { range } = request;
    const resolution = { range, step: rangeUtil.intervalToMs(this.interval!), scrapeInterval: this.interval! };
    const text = interpolate(typeof query === 'string' ? query : query.query, {
      ...request.scopedVars, ...builtinVariables(resolution),
    }).trim();
    const [, selector, label] = /^label_values\((?:(.+),)?\s*(\w+)\s*\)$/s.exec(text) ?? [];
    if (label) {
      const [start, end] = [range.from.valueOf() / 1000, range.to.valueOf() / 1000];
      const values = await get<string[]>(`label/${label}/values`, { start, end, ...(selector ? { 'match[]': selector } : {}) });
      return values.map((value) => ({ text: value }));
    }
    const [, expr] = /^query_result\((.+)\)$/s.exec(text) ?? [];
    if (expr) {
      const { result } = await post<Answer>('query', { query: expr, time: range.to.valueOf() / 1000 });
      return result.map(({ metric, value }) => ({ text: `${queryResultName(metric)} ${value![1]} ${value![0] * 1000}` }));
    }
    throw new Error(`variable query is neither label_values(…) nor query_result(…): ${text}`);
  }
}

function queryResultName({ __name__: name = '', ...labels }: PrometheusSeries['metric']) {
  return `${name}{${Object.entries(labels).map(([label, value]) => `${label}="${value}"`).join(',')}}`;
}
