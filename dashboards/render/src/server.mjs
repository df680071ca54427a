// Serves the page on loopback, and forwards its queries to Prometheus.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from './failure.mjs';

const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
const QUERY_DEADLINE = 30_000; // milliseconds
const NEVER = new AbortController().signal;
const TYPES = {
  '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Where Grafana's packages look for fonts and icons, and where npm has put them. */
const ASSETS = [
  ['/public/fonts/inter/', 'inter-ui/web'],
  ['/public/build/img/', '@grafana/ui/dist/public/img'],
].map(([prefix, directory]) => [prefix, path.join(MODULES, directory)]);
const ROBOTO_MONO = path.join(MODULES, '@fontsource/roboto-mono/files/roboto-mono-latin-400-normal.woff2');

function fileOf(pathname, bundle) {
  if (pathname.startsWith('/public/fonts/roboto/')) {
    return ROBOTO_MONO;
  }
  const [prefix, directory] = ASSETS.find(([start]) => pathname.startsWith(start)) ?? ['/', bundle];
  const file = path.join(directory, decodeURIComponent(pathname.slice(prefix.length)) || 'index.html');
  return file.startsWith(directory + path.sep) ? file : undefined;
}

function answer(response, status, type, body) {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return chunks.length > 0 ? Buffer.concat(chunks) : undefined;
}

/** Prometheus' answer as JSON text, or an answer of the same form that says why there is none. */
async function ask(prometheus, path, { signal = NEVER, ...options }) {
  try {
    const address = prometheus.replace(/\/+$/, '') + path;
    const reply = await fetch(address, { ...options, signal: AbortSignal.any([signal, AbortSignal.timeout(QUERY_DEADLINE)]) });
    const text = await reply.text();
    JSON.parse(text); // a proxy's error page is not Prometheus's answer
    return text;
  } catch (error) {
    const reason = error.cause?.message ?? error.message;
    return JSON.stringify({ status: 'error', error: `no answer from Prometheus at ${prometheus}: ${reason}` });
  }
}

async function forward(prometheus, request, url, signal) {
  const { method, headers } = request;
  const contentType = headers['content-type'];
  const body = await bodyOf(request);
  return ask(prometheus, url.pathname.slice('/prometheus'.length) + url.search, {
    method, body, signal, headers: contentType ? { 'content-type': contentType } : {},
  });
}

async function serveFile(response, file) {
  try {
    answer(response, 200, TYPES[path.extname(file)] ?? 'application/octet-stream', await readFile(file));
  } catch {
    answer(response, 404, 'text/plain', 'not found');
  }
}

/** Throws unless Prometheus answers a query. */
export async function expectPrometheus(prometheus) {
  const { status, error } = JSON.parse(await ask(prometheus, '/api/v1/query?query=1', { method: 'GET' }));
  if (status !== 'success') {
    throw new Failure(error);
  }
}

/** Serves until closed: `bundle` is the page's directory, `dashboards` the models it can fetch as /dashboards/<index>. */
export async function serve({ bundle, prometheus, dashboards }) {
  const closing = new AbortController();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const [, index] = /^\/dashboards\/(\d+)$/.exec(url.pathname) ?? [];
    if (index) {
      answer(response, 200, TYPES['.json'], JSON.stringify(dashboards[index]));
    } else if (url.pathname.startsWith('/prometheus/')) {
      // Always 200: the page reads the answer's own status, and Chromium reports the others as errors of the page.
      answer(response, 200, TYPES['.json'], await forward(prometheus, request, url, closing.signal));
    } else {
      await serveFile(response, fileOf(url.pathname, bundle) ?? '');
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
