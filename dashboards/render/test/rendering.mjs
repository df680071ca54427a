// One run of render.mjs, and what is in its pictures.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

const RENDER = fileURLToPath(new URL('../render.mjs', import.meta.url));
const DEADLINE = 900_000; // milliseconds; the first run also builds the page
const NEAR = 60; // the palette of a small picture moves colours a little

export function run(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [RENDER, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].on('data', (chunk) => { output[name] += chunk; });
    }
    child.on('close', (status) => resolve({ status, ...output }));
  });
}

/** Renders dashboards from files of a new directory, which is the caller's to remove. */
export async function render(dashboards, prometheus, ...options) {
  const directory = await mkdtemp(path.join(tmpdir(), 'render-test-'));
  const files = dashboards.map(({ uid }) => path.join(directory, `${uid}.json`));
  await Promise.all(files.map((file, i) => writeFile(file, JSON.stringify(dashboards[i]))));
  const result = await run('--prometheus', prometheus, '--out', directory, '--json', ...options, ...files);
  return { directory, ...result, results: result.stdout ? JSON.parse(result.stdout) : [] };
}

export const pngOf = async ({ picture }) => sharp(await readFile(picture));

/** How many pixels of a panel's box have a colour, given as #rrggbb. */
export async function pixels(result, { box }, color) {
  const wanted = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const { x: left, y: top, width, height } = box;
  const png = (await pngOf(result)).extract({ left, top, width, height }).removeAlpha().toColourspace('srgb').raw();
  const data = await png.toBuffer();
  let count = 0;
  for (let i = 0; i < data.length; i += 3) {
    count += wanted.every((value, channel) => Math.abs(data[i + channel] - value) < NEAR) ? 1 : 0;
  }
  return count;
}
