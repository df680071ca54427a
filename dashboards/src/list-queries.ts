// npm run --silent queries -- [--json] [--rate-interval=1m] [--interval=15s] [--range=6h]
//                             [--job=.+] [--cluster=.*] [--target=.+]
//
// Prints every query of every dashboard with the variables filled in, ready for Prometheus: those of panels, of
// annotations, and as `series` the selectors behind the variables at the top.

import { parseArgs } from 'node:util';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboards } from './all.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    'rate-interval': { type: 'string', default: '1m' },
    interval: { type: 'string', default: '15s' },
    range: { type: 'string', default: '6h' },
    job: { type: 'string', default: '.+' },
    cluster: { type: 'string', default: '.*' },
    target: { type: 'string', default: '.+' },
  },
});

interface Query {
  dashboard: string;
  title: string;
  kind: 'instant' | 'range' | 'annotation' | 'series';
  refId: string;
  expr: string;
}

/** The longest name first: $__range would also match in $__range_s. */
const filledIn = (expr: string) =>
  expr
    .replaceAll('$__rate_interval', values['rate-interval'])
    .replaceAll('$__interval', values.interval)
    .replaceAll('$__range', values.range)
    .replaceAll('$job', values.job)
    .replaceAll('$cluster', values.cluster)
    .replaceAll('$target', values.target);

const panelsOf = (dashboard: Dashboard): Panel[] =>
  (dashboard.panels ?? []).flatMap((panel: Panel | RowPanel) =>
    panel.type === 'row' ? (panel as RowPanel).panels : [panel as Panel],
  );

function queriesOf(dashboard: Dashboard): Query[] {
  const uid = dashboard.uid ?? '';
  const panels = panelsOf(dashboard).flatMap((panel) =>
    ((panel.targets ?? []) as Dataquery[]).map(({ expr, refId, instant }): Query => ({
      dashboard: uid,
      title: panel.title ?? '',
      kind: instant ? 'instant' : 'range',
      refId: refId ?? '',
      expr: filledIn(expr ?? ''),
    })),
  );
  const annotations = (dashboard.annotations?.list ?? []).map(({ name, expr }): Query => ({
    dashboard: uid,
    title: name,
    kind: 'annotation',
    refId: '',
    expr: filledIn(expr ?? ''),
  }));
  const variables = (dashboard.templating?.list ?? []).flatMap(({ name, definition }): Query[] => {
    const selector = definition?.match(/^label_values\((.+), \w+\)$/)?.[1];
    return selector ? [{ dashboard: uid, title: name, kind: 'series', refId: '', expr: filledIn(selector) }] : [];
  });
  return [...panels, ...annotations, ...variables];
}

const queries = dashboards.flatMap(queriesOf);
if (values.json) {
  console.log(JSON.stringify(queries, null, 2));
} else {
  for (const query of queries) console.log(`${query.dashboard} | ${query.title} ${query.refId} | ${query.expr}`);
}
