// Rules about a dashboard as a whole: its file, its variables, its links and its annotations.

import type { Catalogue } from './catalogue.ts';
import type { Finding, Report } from './finding.ts';
import { checkGrid, checkPanel, isOurs } from './panels.ts';
import type { Panel } from './panels.ts';
import { parse } from './promql.ts';
import { checkQuery } from './queries.ts';

const TAG = 'pgconn';
const SCHEMA_VERSION = 39;
const CROSSHAIR = 1;
const ON_TIME_RANGE_CHANGE = 2;
/** All of a label that may be absent must match that too. */
const VARIABLES = { job: '.+', cluster: '.*', target: '.+' };

interface Variable {
  type: string;
  name: string;
  label?: string;
  query?: string | { query?: string };
  datasource?: unknown;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  refresh?: number;
}

interface Annotation {
  name: string;
  datasource?: unknown;
  expr?: string;
}

interface Link {
  type?: string;
  tags?: string[];
  keepTime?: boolean;
  includeVars?: boolean;
}

export interface Dashboard {
  [key: string]: unknown;
  title?: string;
  description?: string;
  uid?: string;
  tags?: string[];
  panels?: Panel[];
  links?: Link[];
  templating?: { list?: Variable[] };
  annotations?: { list?: Annotation[] };
}

function checkFile(dashboard: Dashboard, report: Report) {
  const must = (holds: boolean, rule: string, message: string) => {
    if (!holds) report(rule, '', message);
  };
  must(
    !('dashboard' in dashboard || 'spec' in dashboard),
    'file-shape',
    'is wrapped: the title must be at the top level',
  );
  must(Boolean(dashboard.title && dashboard.description), 'file-shape', 'has no title or no description');
  must(/^pgconn-[a-z-]{1,33}$/.test(dashboard.uid ?? ''), 'file-uid', `uid ${dashboard.uid} is not pgconn-…`);
  must(!('id' in dashboard), 'file-id', 'has an id: that is for the database of one Grafana');
  must(dashboard.editable === false, 'file-editable', 'editable must be false');
  must(dashboard.schemaVersion === SCHEMA_VERSION, 'file-schema', `schemaVersion must be ${SCHEMA_VERSION}`);
  must(!('__inputs' in dashboard), 'file-inputs', '__inputs is not resolved by file provisioning');
  must(dashboard.graphTooltip === CROSSHAIR, 'file-crosshair', 'the crosshair is not shared');
  must(dashboard.tags?.includes(TAG) ?? false, 'file-tag', `lacks the tag ${TAG}`);
  const link = dashboard.links?.find(({ type, tags }) => type === 'dashboards' && tags?.includes(TAG));
  must(
    Boolean(link?.keepTime && link.includeVars),
    'file-links',
    `no links by tag ${TAG} that keep time and variables`,
  );
}

function checkVariables(variables: Variable[], report: Report) {
  const [datasource, ...queried] = variables;
  if (datasource?.type !== 'datasource' || datasource.name !== 'datasource' || datasource.query !== 'prometheus') {
    report('variable-datasource', 'datasource', 'the first variable must be `datasource`, of type prometheus');
  }
  const names = queried.map(({ name }) => name).join(', ');
  const wanted = Object.keys(VARIABLES).join(', ');
  if (names !== wanted) report('variable-list', '', `after datasource come ${names || 'none'}, not ${wanted}`);
  for (const variable of queried) {
    const { name } = variable;
    const query = typeof variable.query === 'string' ? variable.query : (variable.query?.query ?? '');
    const inner = query.match(/^label_values\((.+), (\w+)\)$/)?.slice(1);
    if (!inner || inner[1] !== name || parse(inner[0]).errors.length > 0) {
      report('variable-query', name, `${query} is not label_values(SELECTOR, ${name})`);
    }
    if (!isOurs(variable.datasource)) report('variable-datasource', name, 'does not use ${datasource}');
    if (variable.refresh !== ON_TIME_RANGE_CHANGE)
      report('variable-refresh', name, 'must refresh on time range change');
    const all = VARIABLES[name as keyof typeof VARIABLES];
    if (!variable.multi || !variable.includeAll || variable.allValue !== all || !variable.label) {
      report('variable-all', name, `must allow several and All as ${all}, and have a label`);
    }
  }
}

export function check(dashboard: Dashboard, catalogue: Catalogue): Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, where, message) => findings.push({ rule, where, message });
  checkFile(dashboard, report);
  checkVariables(dashboard.templating?.list ?? [], report);
  for (const { name, datasource, expr } of dashboard.annotations?.list ?? []) {
    if (!isOurs(datasource)) report('annotation-datasource', name, 'does not use ${datasource}');
    checkQuery({ expr: expr ?? '', instant: false, where: name }, catalogue, report);
  }
  const panels = (dashboard.panels ?? []).flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  if (panels.length === 0) report('file-shape', '', 'has no panels');
  checkGrid(panels, report);
  for (const panel of panels) checkPanel(panel, catalogue, report);
  return findings;
}
