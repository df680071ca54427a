// What all dashboards share: variables, annotations, links and the order of rows.

import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { UIDS, TAG, family } from './links.ts';
import type { Name } from './links.ts';
import { DATASOURCE } from './panels.ts';
import type { PanelBuilder } from './panels.ts';
import { T } from './selectors.ts';

/** The newest schema that every Grafana from 10.3 on reads; newer ones migrate it upwards when they load it. */
const SCHEMA_VERSION = 39;

const FAMILY = 'PostgreSQL connections';

export interface Row {
  title: string;
  panels: PanelBuilder[];
  collapsed?: boolean;
}

export interface Page {
  name: Name;
  title: string;
  /** The question that it answers. */
  question: string;
  rows: Row[];
}

function variable(name: string, label: string, query: string, allValue: string) {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(allValue)
    .current({ text: ['All'], value: ['$__all'] });
}

/** Marks the moment that a series has as its value, in milliseconds. */
function moment(name: string, color: string, expr: string, text: string) {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .titleFormat(name)
    .textFormat(text)
    .useValueForTime(true)
    .step('15s');
}

export function dashboard(page: Page): Dashboard {
  const builder = new DashboardBuilder(`${FAMILY} / ${page.title}`)
    .uid(UIDS[page.name])
    .description(page.question)
    .tags([TAG, 'postgresql'])
    .readonly()
    .refresh('1m')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .type('prometheus')
        .current({ text: 'default', value: 'default' }),
    )
    .withVariable(variable('job', 'Job', 'label_values(pgconn_up, job)', '.+'))
    .withVariable(variable('cluster', 'Cluster', 'label_values(pgconn_up{job=~"$job"}, cluster)', '.*'))
    .withVariable(
      variable('target', 'Target', 'label_values(pgconn_up{job=~"$job", cluster=~"$cluster"}, target)', '.+'),
    )
    .link(family())
    .annotation(
      moment(
        'Server started',
        'blue',
        `1000 * max by (cluster, target) (pgconn_server_start_time_seconds{${T}})`,
        '{{target}}',
      ),
    )
    .annotation(
      moment(
        'Connections dropped',
        'orange',
        // The canaries keep testing how long an idle time the path allows: that would mark everything.
        `1000 * max by (cluster, target, cause) (pgconn_last_drop_timestamp_seconds{${T}, cause!="path_idle_timeout"})`,
        '{{target}}: {{cause}}',
      ),
    )
    .annotation(
      moment(
        'Crash restart',
        'red',
        `1000 * max by (cluster, target) (pgconn_server_crash_restart_time_seconds{${T}}) > 0`,
        '{{target}}',
      ),
    );
  for (const row of page.rows) {
    const header = new RowBuilder(row.title).collapsed(row.collapsed ?? false);
    if (row.collapsed) row.panels.forEach((panel) => header.withPanel(panel));
    builder.withRow(header);
    if (!row.collapsed) row.panels.forEach((panel) => builder.withPanel(panel));
  }
  return { ...numbered(builder.build()), schemaVersion: SCHEMA_VERSION };
}

/** The builder leaves the ids of panels out; links to a panel and changes by hand need them. */
function numbered(built: Dashboard): Dashboard {
  let id = 0;
  for (const panel of built.panels ?? []) {
    panel.id = ++id;
    if ('panels' in panel) panel.panels.forEach((inner) => (inner.id = ++id));
  }
  return built;
}
