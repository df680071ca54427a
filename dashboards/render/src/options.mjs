// The command line.
import { parseArgs } from 'node:util';

import { Failure } from './failure.mjs';

export const USAGE = `Usage: node render.mjs --prometheus URL --out DIR [option…] DASHBOARD.json…

Draws each dashboard as DIR/<name>.png, full height.

  --prometheus URL       the Prometheus to ask
  --out DIR              where the pictures go; made if missing
  --from T, --to T       the range, such as now-1h, now, 2026-01-31T12:00:00Z; else the dashboard's own
  --var NAME=VALUE       a variable's value; once more for each further value
  --scrape-interval D    what Grafana's data source would have set (15s); decides $__rate_interval
  --width PIXELS         of the picture (1600)
  --theme dark|light     (dark)
  --json                 prints what became of every panel to standard output
  --deadline SECONDS     for each dashboard (60)
  --chromium PATH        (/usr/bin/chromium)

Exit status: 0 when all is drawn, 1 when a panel shows an error or a dashboard could not be drawn, 2 for wrong usage.
`;

export class UsageError extends Failure {}

const OPTIONS = {
  prometheus: { type: 'string' },
  out: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  var: { type: 'string', multiple: true, default: [] },
  'scrape-interval': { type: 'string', default: '15s' },
  width: { type: 'string', default: '1600' },
  theme: { type: 'string', default: 'dark' },
  json: { type: 'boolean', default: false },
  deadline: { type: 'string', default: '60' },
  chromium: { type: 'string', default: '/usr/bin/chromium' },
  help: { type: 'boolean', default: false },
};

function positive(name, text) {
  const number = Number(text);
  if (!(number > 0)) {
    throw new UsageError(`--${name} is not a positive number: ${text}`);
  }
  return number;
}

/** A moment as Grafana takes it; it would take any other text for no time at all. */
function moment(name, text) {
  if (text !== undefined && !/^now([-+]\d+[smhdwMy])*(\/[smhdwMy])?$/.test(text) && !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) {
    throw new UsageError(`--${name} is neither such as now-1h nor such as 2026-01-31T12:00:00Z: ${text}`);
  }
  return text;
}

function variablesOf(assignments) {
  const variables = {};
  for (const assignment of assignments) {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(assignment) ?? [];
    if (!name) {
      throw new UsageError(`--var is not NAME=VALUE: ${assignment}`);
    }
    (variables[name] ??= []).push(value);
  }
  return variables;
}

function parse(argv) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

export function optionsOf(argv) {
  const { values, positionals: dashboards } = parse(argv);
  if (values.help) {
    return { help: true };
  }
  for (const name of ['prometheus', 'out']) {
    if (!values[name]) {
      throw new UsageError(`--${name} is missing`);
    }
  }
  if (!URL.canParse(values.prometheus) || !/^https?:/.test(values.prometheus)) {
    throw new UsageError(`--prometheus is not an http address: ${values.prometheus}`);
  }
  if (!['dark', 'light'].includes(values.theme)) {
    throw new UsageError(`--theme is neither dark nor light: ${values.theme}`);
  }
  if (!/^\d+(ms|s|m|h)$/.test(values['scrape-interval'])) {
    throw new UsageError(`--scrape-interval is not a duration such as 15s: ${values['scrape-interval']}`);
  }
  if (dashboards.length === 0) {
    throw new UsageError('no dashboard is named');
  }
  return {
    ...values,
    from: moment('from', values.from),
    to: moment('to', values.to),
    scrapeInterval: values['scrape-interval'],
    width: positive('width', values.width),
    deadline: 1000 * positive('deadline', values.deadline),
    variables: variablesOf(values.var),
    dashboards,
  };
}
