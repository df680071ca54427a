import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { cannedPrometheus } from './canned_prometheus.mjs';
import { CYAN, faulty, gallery, GREEN, hanging, MAGENTA, RED } from './dashboards.mjs';
import { pixels, pngOf, render, run } from './rendering.mjs';

const COLOR_OF_ALPHA = '#bf1b00'; // in Grafana's light palette by name
const directories = [];
let prometheus;
before(async () => { prometheus = await cannedPrometheus(); });
after(async () => {
  prometheus.close();
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })));
});

async function rendered(dashboards, ...options) {
  const result = await render(dashboards, prometheus.url, ...options);
  directories.push(result.directory);
  return result;
}

describe('a dashboard with every type of panel', () => {
  let rendering, result;
  const panel = (title) => result.panels.find((one) => one.title === title);
  const count = (title, color) => pixels(result, panel(title), color);

  before(async () => {
    rendering = await rendered([gallery], '--width', '1200', '--scrape-interval', '30s', '--var', 'target=beta.example', '--var', 'target=alpha');
    [result] = rendering.results;
  });

  test('is drawn without errors', () => {
    assert.equal(rendering.status, 0, rendering.stderr);
    assert.deepEqual(result.errors, []);
  });

  test('has a picture of the asked width, with every panel in it, below the limit of bytes', async () => {
    const { width, height } = await (await pngOf(result)).metadata();
    assert.equal(width, 1200);
    result.panels.forEach(({ title, box }) => assert.ok(box.y + box.height <= height, `${title} ends below the picture`));
    assert.ok(result.bytes > 0 && result.bytes <= 300_000, String(result.bytes));
  });

  test('tells which panels have data', () => {
    const without = result.panels.filter(({ state }) => state !== 'data').map(({ title, state }) => [title, state]);
    assert.deepEqual(without, [['Nothing there', 'no data'], ['Not a number', 'no data']]);
  });

  for (const title of ['Time series', 'Stat', 'Gauge', 'Bar gauge', 'Table', 'Heatmap']) {
    test(`draws the ${title.toLowerCase()} in the colour its values have`, async () => {
      assert.ok((await count(title, GREEN)) > 300);
      assert.equal(await count(title, RED), 0);
    });
  }

  for (const title of ['State timeline', 'Status history']) {
    test(`draws both states of the ${title.toLowerCase()}, each for its half of the time`, async () => {
      const [down, up] = [await count(title, RED), await count(title, GREEN)];
      assert.ok(down > 1000 && up > 1000 && Math.abs(down - up) < 0.3 * (down + up), `${down} down, ${up} up`);
    });
  }

  test('keeps the width that a column is given', async () => {
    const { box } = panel('Narrow column');
    const green = await count('Narrow column', GREEN);
    assert.ok(green > 1000 && green < 0.1 * box.width * box.height, String(green));
  });

  test('lets an axis reach its soft limit', async () => {
    const { box } = panel('Soft limit');
    const green = await count('Soft limit', GREEN);
    assert.ok(green > 500 && green < 0.1 * box.width * box.height, String(green));
  });

  test('draws text', async () => {
    assert.ok((await count('Text', '#ccccdc')) > 50);
  });

  for (const title of ['Time series', 'State timeline', 'Status history', 'Heatmap']) {
    test(`draws annotations over the ${title.toLowerCase()}`, async () => {
      assert.ok((await count(title, MAGENTA)) > 20);
    });
  }

  test('draws no annotation of before its time range', async () => {
    assert.equal(await count('Time series', CYAN), 0);
  });

  test('asks with its variables and built-in intervals filled in', () => {
    const [{ expr }] = panel('Time series').queries;
    assert.equal(expr, String.raw`sessions{target=~"(beta\\.example|alpha)"}[120000ms]`);
    assert.ok(prometheus.queries.includes(expr));
  });

  test('keeps All as the value that the dashboard gives it', () => {
    assert.equal(result.variables.job, 'All');
  });
});

describe('a dashboard in the light theme and without annotations', () => {
  let result;
  before(async () => {
    ({ results: [result] } = await rendered([{ ...gallery, annotations: { list: [] } }], '--theme', 'light', '--width', '1200'));
  });

  test('is light', async () => {
    const { channels } = await (await pngOf(result)).stats();
    assert.ok(channels.slice(0, 3).every(({ mean }) => mean > 150));
  });

  test('colours lines by the name that the legend gives them', async () => {
    const panel = result.panels.find(({ title }) => title === 'By name');
    assert.ok((await pixels(result, panel, COLOR_OF_ALPHA)) > 10_000);
  });
});

describe('what is wrong with a dashboard', () => {
  let rendering;
  before(async () => { rendering = await rendered(faulty); });

  const tells = (title, text) => test(`${title.toLowerCase()} is told`, () => {
    const { errors } = rendering.results.find((one) => one.title === title);
    assert.deepEqual(errors.filter((error) => text.test(error)), errors);
    assert.equal(errors.length, 1);
    assert.ok(rendering.stderr.includes(errors[0]));
  });

  tells('Broken query', /^panel "Broken": query B: parse error near broken$/);
  tells('Unknown type', /^panel "Flames": panel type flamegraph is unknown/);
  tells('Unknown transformation', /^panel "Transformed": .*alchemy/);
  tells('Foreign data source', /^panel "Foreign": .*DS_PROMETHEUS/);
  tells('Throwing panel', /^panel "Thrown": .*calculate/);
  tells('Unsupported', /^panel "Repeated": repeat is not supported/);
  tells('Broken variable', /^variable job: .*metrics\(\.\*\)/);
  tells('Broken annotation', /^annotation Restarts: .*parse error near broken/);

  test('makes the run fail', () => assert.equal(rendering.status, 1));

  test('does not hide the panels that are sound', () => {
    const { panels } = rendering.results.find(({ title }) => title === 'Unknown type');
    assert.deepEqual(panels.map(({ title, state }) => [title, state]), [['Flames', 'error'], ['Sound', 'data']]);
  });
});

test('a panel that gets no answer in time is named and makes the run fail', async () => {
  const { status, results: [{ errors, picture }] } = await rendered([hanging], '--deadline', '12');
  assert.equal(status, 1);
  assert.match(errors[0], /not complete after 12 s, still waiting for: panel Waits/);
  assert.ok(picture);
});

test('a value that a variable does not have is told', async () => {
  const { status, results: [{ errors }] } = await rendered([{ ...hanging, panels: [] }], '--var', 'target=gamma', '--var', 'nobody=1');
  assert.equal(status, 1);
  assert.deepEqual(errors, ['variable target has no value gamma', 'there is no variable nobody']);
});

describe('a command line that cannot work', () => {
  const sound = ['--prometheus', 'http://127.0.0.1:9', '--out', '/nonexistent'];
  for (const [what, args, message] of [
    ['without a dashboard', sound, /no dashboard is named/],
    ['without a Prometheus', ['--out', 'x', 'y.json'], /--prometheus is missing/],
    ['with an unknown option', [...sound, '--colour', 'x', 'y.json'], /--colour/],
    ['with an unknown theme', [...sound, '--theme', 'blue', 'y.json'], /--theme is neither dark nor light: blue/],
    ['with a deadline that is no number', [...sound, '--deadline', 'soon', 'y.json'], /--deadline is not a positive number: soon/],
    ['with a time that is none', [...sound, '--from', '1767225600000', 'y.json'], /--from is neither .*: 1767225600000/],
    ['with a variable without a value', [...sound, '--var', 'target', 'y.json'], /--var is not NAME=VALUE: target/],
  ]) {
    test(`${what} is refused with status 2`, async () => {
      const { status, stderr } = await run(...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }

  test('naming a file that is no dashboard is refused', async () => {
    const { status, stderr } = await run(...sound, '/nonexistent.json');
    assert.equal(status, 1);
    assert.match(stderr, /\/nonexistent\.json is not a dashboard/);
  });

  test('naming a Prometheus that does not answer is refused before anything is drawn', async () => {
    const { status, results } = await render([gallery], 'http://127.0.0.1:9').then(({ directory, ...result }) => {
      directories.push(directory);
      return result;
    });
    assert.equal(status, 1);
    assert.deepEqual(results, []);
  });
});
