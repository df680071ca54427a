// A headless Chromium, and a dashboard drawn in it.
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

import { Failure } from './failure.mjs';

const START_DEADLINE = 60_000; // milliseconds
const FLAGS = [
  '--disable-gpu', '--disable-quic', '--disable-sync', '--disable-dev-shm-usage', '--no-first-run',
  '--disable-background-networking', '--disable-component-update',
];
const CELL = 38; // height of a row of the grid and the gap below it

/** The browser keeps its profile in a new directory and ends with this process. */
export async function launch(executablePath) {
  if (!existsSync(executablePath)) {
    throw new Failure(`there is no ${executablePath}: install the package chromium, or name another with --chromium`);
  }
  const chromiumSandbox = process.getuid?.() !== 0; // Chromium refuses to sandbox root
  return chromium.launch({ executablePath, args: FLAGS, chromiumSandbox, headless: true, timeout: START_DEADLINE });
}

function heightOf({ panels }) {
  const all = panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  return 200 + CELL * all.reduce((lowest, { gridPos: { y, h } }) => Math.max(lowest, y + h), 0);
}

/** Resolves with the last report once nothing is awaited any more, or when time is up. */
async function settled(page, timeout) {
  const isComplete = () => {
    const { rendering } = window;
    return rendering && ('failed' in rendering || rendering.report().unfinished.length === 0);
  };
  let late = false;
  try {
    await page.waitForFunction(isComplete, undefined, { timeout });
    // Plots and icons are drawn after the data is there.
    await page.waitForLoadState('networkidle', { timeout });
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    });
  } catch (error) {
    if (error.name !== 'TimeoutError') {
      throw error;
    }
    late = true;
  }
  const report = await page.evaluate(() => {
    const { rendering } = window;
    return rendering && ('failed' in rendering ? rendering : rendering.report());
  });
  return { report, late };
}

/**
 * Draws a dashboard: { report, picture, errors }. The report is the page's own, see page/report.ts, and is
 * missing when there is none. Never takes much longer than `deadline` milliseconds.
 */
export async function draw(browser, origin, { dashboard, index, order, width, deadline }) {
  const context = await browser.newContext({
    viewport: { width, height: heightOf(dashboard) },
    timezoneId: 'UTC',
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  try {
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(`the page failed: ${error.message}`));
    const query = new URLSearchParams({ order: JSON.stringify({ ...order, dashboard: `/dashboards/${index}` }) });
    await page.goto(`${origin}/?${query}`, { timeout: deadline });
    const { report, late } = await settled(page, deadline);
    if (report?.failed) {
      errors.push(report.failed);
      return { errors };
    }
    if (late) {
      const waiting = report?.unfinished.join(', ') || 'the page itself';
      errors.push(`not complete after ${deadline / 1000} s, still waiting for: ${waiting}`);
    }
    const picture = await page.locator('#root').screenshot({ timeout: deadline });
    return { report, picture, errors: [...errors, ...(report?.errors ?? [])] };
  } finally {
    await context.close();
  }
}
