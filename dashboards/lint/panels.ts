// Rules about panels: their position, their texts, and their queries.

import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Catalogue } from './catalogue.ts';
import type { Report } from './finding.ts';
import { checkQuery } from './queries.ts';

const KINDS = [
  'timeseries',
  'stat',
  'table',
  'gauge',
  'bargauge',
  'state-timeline',
  'status-history',
  'heatmap',
  'text',
];
const UNITS = new Set(Object.values(units) as string[]);
const COLUMNS = 24;
const SHORTEST_DESCRIPTION = 40;
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Target {
  refId?: string;
  expr?: string;
  instant?: boolean;
  datasource?: unknown;
}

export interface Panel {
  id?: number;
  type: string;
  title?: string;
  description?: string;
  gridPos?: Place;
  collapsed?: boolean;
  panels?: Panel[];
  datasource?: unknown;
  targets?: Target[];
  fieldConfig?: { defaults?: { unit?: string; thresholds?: { steps?: unknown[] } }; overrides?: Override[] };
}

interface Override {
  properties?: { id: string; value?: unknown }[];
}

export const nameOf = (panel: Panel) => panel.title || `panel ${panel.id ?? 'without id'}`;

export const isOurs = (datasource: unknown) => JSON.stringify(datasource) === JSON.stringify(DATASOURCE);

const overlap = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

export function checkGrid(panels: Panel[], report: Report) {
  const ids = new Set<number>();
  const placed: { name: string; place: Place }[] = [];
  for (const panel of panels) {
    const name = nameOf(panel);
    if (panel.id === undefined || ids.has(panel.id)) report('panel-id', name, `id ${panel.id} is missing or repeated`);
    else ids.add(panel.id);
    const place = panel.gridPos;
    if (!place || place.w < 1 || place.h < 1 || place.x < 0 || place.x + place.w > COLUMNS) {
      report('panel-grid', name, `not within ${COLUMNS} columns: ${JSON.stringify(place)}`);
      continue;
    }
    for (const other of placed) if (overlap(place, other.place)) report('panel-grid', name, `overlaps ${other.name}`);
    placed.push({ name, place });
  }
}

function checkWords(panel: Panel, report: Report) {
  const name = nameOf(panel);
  if (!panel.title) report('panel-title', name, 'has no title');
  if ((panel.description ?? '').length < SHORTEST_DESCRIPTION && panel.type !== 'text') {
    report('panel-description', name, 'has no description that says what it shows and what to do when it is red');
  }
}

function checkFields(panel: Panel, report: Report) {
  const name = nameOf(panel);
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const overridden = overrides.flatMap(({ properties = [] }) => properties.filter(({ id }) => id === 'unit'));
  for (const unit of [defaults.unit, ...overridden.map(({ value }) => value as string)]) {
    if (!unit || !UNITS.has(unit)) report('panel-unit', name, unit ? `Grafana knows no unit ${unit}` : 'has no unit');
  }
  if (!defaults.thresholds?.steps?.length) report('panel-thresholds', name, 'has no thresholds');
}

export function checkPanel(panel: Panel, catalogue: Catalogue, report: Report) {
  const name = nameOf(panel);
  if (panel.type === 'row') return;
  if (!KINDS.includes(panel.type)) report('panel-type', name, `${panel.type} is not one of ${KINDS.join(', ')}`);
  checkWords(panel, report);
  if (!isOurs(panel.datasource)) report('panel-datasource', name, 'does not use ${datasource}');
  if (panel.type === 'text') return;
  checkFields(panel, report);
  const targets = panel.targets ?? [];
  if (targets.length === 0) report('panel-targets', name, 'asks for nothing');
  if (new Set(targets.map(({ refId }) => refId)).size < targets.length) report('panel-refid', name, 'repeats a refId');
  for (const target of targets) {
    const where = `${name}, ${target.refId}`;
    if (!isOurs(target.datasource)) report('panel-datasource', where, 'does not use ${datasource}');
    checkQuery({ expr: target.expr ?? '', instant: target.instant === true, where }, catalogue, report);
  }
}
