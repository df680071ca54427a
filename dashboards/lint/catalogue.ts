// The metrics that a query may use: those that the exporter's reference declares, the recording rules, and what
// Prometheus itself writes about each scrape.

import { existsSync, readFileSync } from 'node:fs';

export interface Metric {
  type: string;
  labels: Set<string>;
}

export type Catalogue = Map<string, Metric>;

const ROW = /^\| `(\w+)` \| (\w+) \| ([^|]*)\|/;
/** What a scrape adds to every series, and what a target has in all of its own. */
const ALWAYS = ['job', 'instance', 'cluster', 'target'];
const OF_A_SCRAPE = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped'];

export function readCatalogue(reference: string, recordingRules: string): Catalogue {
  const catalogue: Catalogue = new Map();
  for (const line of readFileSync(reference, 'utf8').split('\n')) {
    const [, name, type, cells] = line.match(ROW) ?? [];
    if (!name) continue;
    const labels = new Set([...ALWAYS, ...[...cells.matchAll(/`(\w+)`/g)].map(([, label]) => label)]);
    if (type === 'histogram') {
      catalogue.set(`${name}_bucket`, { type: 'counter', labels: new Set([...labels, 'le']) });
      for (const suffix of ['_sum', '_count']) catalogue.set(name + suffix, { type: 'counter', labels });
    } else {
      catalogue.set(name, { type, labels });
    }
  }
  if (catalogue.size === 0) throw new Error(`${reference} declares no metric`);
  for (const name of OF_A_SCRAPE) catalogue.set(name, { type: 'gauge', labels: new Set(ALWAYS) });
  if (existsSync(recordingRules)) {
    for (const [, name] of readFileSync(recordingRules, 'utf8').matchAll(/^\s*-?\s*record:\s*['"]?([\w:]+)/gm)) {
      // The rules decide which labels they keep.
      catalogue.set(name, { type: 'gauge', labels: new Set() });
    }
  }
  return catalogue;
}
