// npm run --silent lint [-- --json] [-- --metrics=FILE] [FILE…]
//
// Checks dashboards, those of dashboards/json unless told otherwise, and fails if there is something to report.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readCatalogue } from './catalogue.ts';
import { check } from './dashboard.ts';

const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    metrics: { type: 'string', default: inRepository('docs/metrics.md') },
    rules: { type: 'string', default: inRepository('alerts/recording.rules.yml') },
  },
});

const committed = inRepository('dashboards/json');
const files = positionals.length > 0 ? positionals : readdirSync(committed).map((name) => join(committed, name));
const catalogue = readCatalogue(values.metrics, values.rules);
const results = files.map((file) => ({ file, findings: check(JSON.parse(readFileSync(file, 'utf8')), catalogue) }));

if (values.json) console.log(JSON.stringify(results, null, 2));
for (const { file, findings } of values.json ? [] : results) {
  for (const { rule, where, message } of findings)
    console.log(`${file}: ${rule}: ${where ? `${where}: ` : ''}${message}`);
}
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;
