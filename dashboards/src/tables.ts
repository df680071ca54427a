// Tables of the current state: one row per thing, cells coloured only where somebody should act.

import * as common from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as table from '@grafana/grafana-foundation-sdk/table';
import type { Link } from './links.ts';
import { DATASOURCE, instantQuery, nothing, refIdOf } from './panels.ts';
import type { PanelBuilder, Shown } from './panels.ts';
import { NONE, noLimit, thresholdsOf } from './theme.ts';
import type { Step } from './theme.ts';

/** How a column looks. */
export interface Look {
  title: string;
  unit?: string;
  decimals?: number;
  /** Colours of the cell's background from a value on; the first is transparent, or all cells would stand out. */
  steps?: Step[];
  mappings?: ValueMapping[];
  /** Colours the text rather than the cell. */
  soft?: boolean;
  links?: Link[];
  width?: number;
}

/** A label of the queries, or the value of one of them. */
export type Column = Look & ({ label: string } | { expr: string } | { hidden: string });

export interface Table extends Omit<Shown, 'unit' | 'steps'> {
  columns: Column[];
  /** The title of the column that the rows are ordered by. */
  order: string;
  ascending?: boolean;
  /** A column that the rows are ordered by before `order` counts. */
  first?: { title: string; ascending: boolean };
  filterable?: boolean;
}

/** In a healthy system the cells of such a column are not coloured. */
export const quiet = (steps: Step[]): Step[] => steps.map(([from, color]) => [from, color === 'green' ? NONE : color]);

function looks(column: Look): DynamicConfigValue[] {
  const { unit, decimals, steps, soft, mappings = [], links, width } = column;
  const colored = steps !== undefined || JSON.stringify(mappings).includes('"color"');
  return [
    { id: 'unit', value: unit ?? 'string' },
    ...(decimals !== undefined ? [{ id: 'decimals', value: decimals }] : []),
    { id: 'mappings', value: [...mappings, ...nothing('–', colored ? NONE : undefined)] },
    ...(colored
      ? [
          {
            id: 'custom.cellOptions',
            value: soft ? { type: 'color-text' } : { type: 'color-background', mode: 'basic' },
          },
        ]
      : []),
    ...(steps ? [{ id: 'thresholds', value: thresholdsOf(quiet(steps)).build() }] : []),
    ...(links ? [{ id: 'links', value: links }] : []),
    ...(width ? [{ id: 'custom.width', value: width }] : []),
  ];
}

/**
 * Rows of several queries become one where their common labels agree. A column with `hidden` is a label
 * that distinguishes rows but is not shown; the cluster is one unless there is a column for it.
 */
export function list(t: Table): PanelBuilder {
  const values = t.columns.filter((column) => 'expr' in column);
  const fieldOf = (column: Column) => {
    if ('label' in column) return column.label;
    if ('hidden' in column) return column.hidden;
    return values.length > 1 ? `Value #${refIdOf(values.indexOf(column))}` : 'Value';
  };
  const shown = t.columns.filter((column) => !('hidden' in column) && column.title !== '');
  const hidden = t.columns.filter((column) => !shown.includes(column)).map(fieldOf);
  if (!shown.some((column) => fieldOf(column) === 'cluster')) hidden.push('cluster');
  const panel = new table.PanelBuilder()
    .title(t.title)
    .description(t.description)
    .datasource(DATASOURCE)
    .unit('short')
    .thresholds(thresholdsOf(noLimit))
    .noValue(t.noValue ?? '–')
    .span(t.span ?? 12)
    .height(t.height ?? 8)
    .cellHeight(common.TableCellHeight.Sm)
    .minWidth(60)
    .filterable(t.filterable ?? false)
    .sortBy([
      ...(t.first
        ? [new common.TableSortByFieldStateBuilder().displayName(t.first.title).desc(!t.first.ascending)]
        : []),
      new common.TableSortByFieldStateBuilder().displayName(t.order).desc(!t.ascending),
    ]);
  values.forEach((column, index) =>
    panel.withTarget(instantQuery(refIdOf(index), column.expr).format(prometheus.PromQueryFormat.Table)),
  );
  if (values.length > 1) panel.withTransformation({ id: 'merge', options: {} });
  panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: Object.fromEntries(['Time', ...hidden].map((name) => [name, true])),
      indexByName: Object.fromEntries(shown.map((column, index) => [fieldOf(column), index])),
      renameByName: Object.fromEntries(shown.map((column) => [fieldOf(column), column.title])),
    },
  });
  for (const column of shown) {
    panel.overrideByName(column.title, looks('expr' in column ? { unit: 'short', ...column } : column));
  }
  return panel;
}

/** Rows are the values of one label, columns those of another. */
export interface Matrix extends Shown {
  expr: string;
  rows: Look & { label: string };
  columns: string;
  mappings?: ValueMapping[];
}

export function matrix(m: Matrix): PanelBuilder {
  const corner = `${m.rows.label}\\${m.columns}`;
  return new table.PanelBuilder()
    .title(m.title)
    .description(m.description)
    .datasource(DATASOURCE)
    .unit(m.unit)
    .thresholds(thresholdsOf(m.steps ?? noLimit))
    .mappings(m.mappings ?? [])
    .noValue(m.noValue ?? '–')
    .span(m.span ?? 12)
    .height(m.height ?? 8)
    .cellHeight(common.TableCellHeight.Sm)
    .minWidth(60)
    .withTarget(instantQuery('A', m.expr).format(prometheus.PromQueryFormat.Table))
    .withTransformation({
      id: 'groupingToMatrix',
      options: { rowField: m.rows.label, columnField: m.columns, valueField: 'Value', emptyValue: 'null' },
    })
    .withTransformation({ id: 'organize', options: { renameByName: { [corner]: m.rows.title } } })
    .overrideByName(m.rows.title, looks(m.rows))
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(m.rows.title)]);
}
