// npm run build [-- DIRECTORY]: writes each dashboard as JSON, into dashboards/json unless told otherwise.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dashboards } from './all.ts';

const directory = process.argv[2] ?? fileURLToPath(new URL('../json', import.meta.url));
mkdirSync(directory, { recursive: true });
for (const dashboard of dashboards) {
  writeFileSync(join(directory, `${dashboard.uid}.json`), `${JSON.stringify(dashboard, null, 2)}\n`);
}
