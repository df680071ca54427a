#!/usr/bin/env node
// Draws classic Grafana dashboards with Grafana's own panel code: see README.md.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Failure } from './src/failure.mjs';
import { optionsOf, USAGE, UsageError } from './src/options.mjs';

async function readDashboard(file) {
  try {
    const dashboard = JSON.parse(await readFile(file, 'utf8'));
    if (!Array.isArray(dashboard.panels)) {
      throw new Error('it has no list of panels');
    }
    return dashboard;
  } catch (error) {
    throw new Failure(`${file} is not a dashboard: ${error.message}`);
  }
}

/** Errors as lines that name their panel. */
const errorsOf = ({ report, errors }) => [
  ...errors,
  ...(report?.panels ?? []).flatMap((panel) => panel.errors.map((text) => `panel "${panel.title}": ${text}`)),
];

function summary(panels = []) {
  const count = (state) => panels.filter((panel) => panel.state === state).length;
  return `${panels.length} panels: ${count('data')} with data, ${count('no data')} without, ${count('error')} with errors`;
}

async function renderOne(file, dashboard, drawing, out) {
  const { compressed } = await import('./src/picture.mjs');
  const start = performance.now();
  const drawn = await drawing();
  const errors = errorsOf(drawn);
  const result = { file, uid: dashboard.uid, title: dashboard.title, variables: drawn.report?.variables, panels: drawn.report?.panels, errors };
  if (drawn.picture) {
    const png = await compressed(drawn.picture);
    result.picture = path.join(out, `${path.basename(file, '.json')}.png`);
    result.bytes = png.length;
    await writeFile(result.picture, png);
  }
  result.seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  process.stderr.write(`${file}: ${summary(result.panels)}; ${Math.ceil((result.bytes ?? 0) / 1000)} kB, ${result.seconds} s\n`);
  errors.forEach((text) => process.stderr.write(`${file}: ${text}\n`));
  return result;
}

async function renderAll(options) {
  const dashboards = await Promise.all(options.dashboards.map(readDashboard));
  if (!existsSync(new URL('node_modules', import.meta.url))) {
    throw new Failure('what this needs is not installed: run npm ci in its directory');
  }
  const [{ bundle }, { expectPrometheus, serve }, { launch, draw }] = await Promise.all(
    ['./src/bundle.mjs', './src/server.mjs', './src/browser.mjs'].map((module) => import(module))
  );
  await expectPrometheus(options.prometheus);
  await mkdir(options.out, { recursive: true });
  const server = await serve({ bundle: await bundle(), prometheus: options.prometheus, dashboards });
  try {
    const browser = await launch(options.chromium);
    try {
      const { theme, scrapeInterval, from, to, variables, width, deadline, out } = options;
      const order = { theme, scrapeInterval, from, to, variables };
      const results = [];
      for (const [index, dashboard] of dashboards.entries()) {
        const drawing = () => draw(browser, server.origin, { dashboard, index, order, width, deadline });
        results.push(await renderOne(options.dashboards[index], dashboard, drawing, out));
      }
      return results;
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const results = await renderAll(options);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  }
  return results.some(({ errors }) => errors.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) {
    throw error;
  }
  process.stderr.write(`render: ${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
