// The page as a bundle, rebuilt whenever its sources have changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Failure } from './failure.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const DIST = path.join(HERE, 'dist');
const DEADLINE = 600_000; // milliseconds; a minute is usual

async function fingerprint() {
  const page = await readdir(path.join(HERE, 'page'), { recursive: true, withFileTypes: true });
  const sources = page.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name)).sort();
  const hash = createHash('sha256');
  for (const file of [...sources, ...['package-lock.json', 'vite.config.mjs'].map((name) => path.join(HERE, name))]) {
    hash.update(path.relative(HERE, file)).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(directory) {
  const vite = path.join(HERE, 'node_modules', 'vite', 'bin', 'vite.js');
  const config = ['--config', path.join(HERE, 'vite.config.mjs'), '--outDir', directory, '--emptyOutDir'];
  try {
    await promisify(execFile)(process.execPath, [vite, 'build', ...config], { cwd: HERE, timeout: DEADLINE });
  } catch (error) {
    throw new Failure(`the page does not build${error.killed ? ' in time' : ''}:\n${error.stdout}${error.stderr}`);
  }
}

async function removeOthers(wanted) {
  const others = (await readdir(DIST)).map((name) => path.join(DIST, name)).filter((one) => one !== wanted && !path.extname(one));
  await Promise.all(others.map((one) => rm(one, { recursive: true, force: true })));
}

/** Directory of the bundle. Several renderings may begin at the same time: each builds apart, one build stays. */
export async function bundle() {
  const wanted = path.join(DIST, await fingerprint());
  if (existsSync(wanted)) {
    return wanted;
  }
  process.stderr.write('building the page, once for this version of it\n');
  await mkdir(DIST, { recursive: true });
  const draft = `${wanted}.${process.pid}`;
  try {
    await build(draft);
    await rename(draft, wanted);
    await removeOthers(wanted);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) {
      throw error;
    }
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return wanted;
}
