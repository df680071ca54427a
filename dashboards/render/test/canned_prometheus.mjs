// Prometheus' API with canned answers: a query's first word says what it gives.
import { createServer } from 'node:http';

const constant = (number) => () => number;
const half = (_, share) => (share < 0.5 ? 0 : 1);

const SERIES = {
  1: [[{}, constant(1)]],
  sessions: [[{ target: 'alpha' }, constant(3)], [{ target: 'beta' }, constant(7)]],
  limits: [[{ target: 'alpha' }, constant(10)], [{ target: 'beta' }, constant(20)]],
  state: [[{ target: 'alpha' }, half]],
  buckets: [[{ le: '0.1' }, constant(0)], [{ le: '1' }, constant(5)], [{ le: '+Inf' }, constant(5)]],
  restarts: [[{ target: 'alpha' }, (_, share) => (share > 0.7 && share < 0.71 ? 1 : 0)]],
  earlier: [[{ target: 'alpha' }, () => Date.now() - 61 * 60_000]],
  nan: [[{ target: 'alpha' }, constant('NaN')]],
  empty: [],
};
const LABELS = { job: ['demo'], target: ['alpha', 'beta.example'] };

function range({ start, end, step }, value) {
  const values = [];
  for (let time = Number(start); time <= Number(end); time += Number(step)) {
    values.push([time, String(value(time, (time - start) / (end - start)))]);
  }
  return { values };
}

function answer(path, parameters) {
  const [, label] = /^\/api\/v1\/label\/(\w+)\/values$/.exec(path) ?? [];
  if (label) {
    return { status: 'success', data: LABELS[label] ?? [] };
  }
  const [word] = parameters.query.split(/\W/);
  if (!SERIES[word]) {
    return { status: 'error', errorType: 'bad_data', error: `parse error near ${word}` };
  }
  const at = path.endsWith('query_range') ? (value) => range(parameters, value) : (value) => ({ value: [Number(parameters.time ?? 0), String(value(0, 1))] });
  return { status: 'success', data: { result: SERIES[word].map(([metric, value]) => ({ metric, ...at(value) })) } };
}

/** Listens on loopback; `queries` collects the PromQL it was asked. A query that begins with `hanging` gets no answer. */
export async function cannedPrometheus() {
  const queries = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    const parameters = Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)]);
    if (parameters.query) {
      queries.push(parameters.query);
    }
    if (!parameters.query?.startsWith('hanging')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(url.pathname, parameters)));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    queries,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
