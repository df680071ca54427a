// Rules about a single query.

import type { Catalogue } from './catalogue.ts';
import type { Report } from './finding.ts';
import { parse } from './promql.ts';
import type { Selector } from './promql.ts';

const RATES = ['rate', 'irate', 'increase'];
const FOR_COUNTERS = [...RATES, 'changes', 'resets'];
/** Of an exporter, a process or a scrape: there is no target behind them. */
const WITHOUT_TARGET = /^(up|scrape_\w+|process_\w+|pgconn_exporter_\w+)$/;

export interface Query {
  expr: string;
  /** It sums up the whole range, so its windows may be $__range; so may any that is pinned to the range's end. */
  instant: boolean;
  where: string;
}

function checkVariables({ metric, matchers }: Selector, where: string, report: Report) {
  const wanted = WITHOUT_TARGET.test(metric) ? ['job'] : ['job', 'cluster', 'target'];
  for (const label of wanted) {
    if (matchers.get(label) !== `=~"$${label}"`) {
      report('query-variables', where, `${metric} lacks ${label}=~"$${label}"`);
    }
  }
}

function checkMetric({ metric, matchers }: Selector, catalogue: Catalogue, where: string, report: Report) {
  const known = catalogue.get(metric);
  if (!known) {
    report('query-metric', where, `the exporter declares no metric ${metric || '(none named)'}`);
    return;
  }
  for (const label of matchers.keys()) {
    if (known.labels.size > 0 && !known.labels.has(label)) {
      report('query-label', where, `${metric} has no label ${label}`);
    }
  }
}

function checkCounter({ metric, window, call }: Selector, catalogue: Catalogue, where: string, report: Report) {
  const counts = metric.endsWith('_total') || catalogue.get(metric)?.type === 'counter';
  if (counts && !(window && call && FOR_COUNTERS.includes(call))) {
    report('query-counter', where, `${metric} is a counter: use it inside ${FOR_COUNTERS.join(', ')} only`);
  }
  if (!counts && call && RATES.includes(call) && window) {
    report('query-counter', where, `${call}() of ${metric}, which is no counter`);
  }
}

function checkWindow({ metric, window, call, atEnd }: Selector, instant: boolean, where: string, report: Report) {
  if (!window || !call || !RATES.includes(call)) return;
  const allowed = instant || atEnd ? ['$__rate_interval', '$__range'] : ['$__rate_interval'];
  if (!allowed.includes(window)) {
    report('query-rate-interval', where, `${call}(${metric}[${window}]): write ${allowed.join(' or ')}`);
  }
}

export function checkQuery({ expr, instant, where }: Query, catalogue: Catalogue, report: Report) {
  const { errors, selectors } = parse(expr);
  for (const error of errors) report('query-promql', where, error);
  if (errors.length > 0) return;
  for (const selector of selectors) {
    checkMetric(selector, catalogue, where, report);
    checkVariables(selector, where, report);
    checkCounter(selector, catalogue, where, report);
    checkWindow(selector, instant, where, report);
  }
}
