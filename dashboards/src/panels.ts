// The kinds of panels that the dashboards are made of, except tables.

import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  SpecialValueMatch,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Link } from './links.ts';
import { LIMIT, NEUTRAL, noLimit, thresholdsOf } from './theme.ts';
import type { Step } from './theme.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export type PanelBuilder = Builder<Panel>;

/** What every panel with data has. */
export interface Shown {
  title: string;
  /** What it shows, and what to do when it is red. */
  description: string;
  unit: string;
  decimals?: number;
  steps?: Step[];
  /** Shown instead of "No data", where having none is no fault. */
  noValue?: string;
  /** Columns (of 24) and rows of the grid. */
  span?: number;
  height?: number;
}

/** A query and the name of each of its series. */
export type Series = [expr: string, legend: string];

const query = (refId: string, expr: string) =>
  new prometheus.DataqueryBuilder()
    .datasource(DATASOURCE)
    .editorMode(prometheus.QueryEditorMode.Code)
    .refId(refId)
    .expr(expr.replace(/\s+/g, ' ').trim());

export const instantQuery = (refId: string, expr: string) => query(refId, expr).instant();

export const rangeQuery = (refId: string, [expr, legend]: Series) => query(refId, expr).legendFormat(legend).range();

export const refIdOf = (index: number) => String.fromCharCode('A'.charCodeAt(0) + index);

/** Text and colour for single values, such as 0 → down. */
export const words = (map: Record<string, { text?: string; color?: string }>): ValueMapping => ({
  type: MappingType.ValueToText,
  options: Object.fromEntries(Object.entries(map).map(([value, result], index) => [value, { ...result, index }])),
});

/** Text and colour for every value up to and with this one. */
export const upTo = (to: number, text: string, color: string): ValueMapping => ({
  type: MappingType.RangeToText,
  options: { from: null, to, result: { text, color, index: 0 } },
});

/** No value gets the colour of the lowest step unless told otherwise, and that is red where less is worse. */
export const nothing = (text: string, color?: string): ValueMapping[] =>
  [SpecialValueMatch.NullAndNan, SpecialValueMatch.Empty].map((match, index) => ({
    type: MappingType.SpecialValue,
    options: { match, result: { text, color, index } },
  }));

/** One number with a verdict: the worst, the sum or the soonest of all chosen targets. */
export interface Tile extends Shown {
  expr: string;
  steps: Step[];
  mappings?: ValueMapping[];
  link?: Link;
}

export function tile(t: Tile): PanelBuilder {
  const panel = new stat.PanelBuilder()
    .title(t.title)
    .description(t.description)
    .datasource(DATASOURCE)
    .unit(t.unit)
    .thresholds(thresholdsOf(t.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .noValue(t.noValue ?? '–')
    .span(t.span ?? 4)
    .height(t.height ?? 4)
    .withTarget(instantQuery('A', t.expr))
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false));
  if (t.decimals !== undefined) panel.decimals(t.decimals);
  panel.mappings([...(t.mappings ?? []), ...nothing(t.noValue ?? '–', NEUTRAL)]);
  if (t.link) panel.dataLinks([t.link].map(asLink));
  return panel;
}

const asLink = (link: Link) => ({ build: () => link }) as never;

/** Series over time. */
export interface Graph extends Shown {
  series: Series[];
  /** Colours by the name of the series. */
  colors?: Record<string, string>;
  /** One colour for all series without their own; otherwise their names choose it: the same in all panels. */
  shadesOf?: string;
  /** Colours by a word in the name of the series. */
  colorsOfWords?: Record<string, string>;
  /** Names of series that are limits rather than measurements: drawn dashed and grey, and in no legend. */
  limits?: string[];
  stacked?: boolean;
  legend?: 'list' | 'table' | 'none';
  min?: number;
  max?: number;
  softMax?: number;
}

function baseGraph(g: Graph) {
  const legend = new common.VizLegendOptionsBuilder()
    .displayMode(g.legend === 'table' ? common.LegendDisplayMode.Table : common.LegendDisplayMode.List)
    .placement(g.legend === 'table' ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
    .showLegend(g.legend !== 'none')
    .calcs(g.legend === 'table' ? ['lastNotNull', 'max'] : []);
  const panel = new timeseries.PanelBuilder()
    .title(g.title)
    .description(g.description)
    .datasource(DATASOURCE)
    .unit(g.unit)
    .thresholds(thresholdsOf(g.steps ?? noLimit))
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(
        g.steps ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off,
      ),
    )
    .colorScheme(
      g.shadesOf
        ? new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor(g.shadesOf)
        : new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName),
    )
    .noValue(g.noValue ?? 'Nothing here in this time range')
    .span(g.span ?? 12)
    .height(g.height ?? 8)
    .min(g.min ?? 0)
    .showPoints(common.VisibilityMode.Never)
    .legend(legend)
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending)
        .hideZeros(true),
    );
  g.series.forEach((series, index) => panel.withTarget(rangeQuery(refIdOf(index), series)));
  if (g.decimals !== undefined) panel.decimals(g.decimals);
  if (g.max !== undefined) panel.max(g.max);
  if (g.softMax !== undefined) panel.axisSoftMax(g.softMax);
  if (g.stacked) {
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  }
  for (const [name, color] of Object.entries(g.colors ?? {})) {
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }]);
  }
  for (const [word, color] of Object.entries(g.colorsOfWords ?? {})) {
    panel.overrideByRegexp(`/\\b${word}\\b/`, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }]);
  }
  for (const name of g.limits ?? []) {
    panel.overrideByRegexp(name, [
      { id: 'color', value: { mode: 'fixed', fixedColor: LIMIT } },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 6] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.stacking', value: { mode: 'none', group: 'limits' } },
      { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
    ]);
  }
  return panel;
}

export const graph = (g: Graph): PanelBuilder =>
  baseGraph(g)
    .drawStyle(common.GraphDrawStyle.Line)
    .lineWidth(g.stacked ? 1 : 2)
    .fillOpacity(g.stacked ? 40 : 0);

/** Things that happen now and then, counted over steps of at least two minutes so that one event is one bar. */
export const events = (g: Graph): PanelBuilder =>
  baseGraph({ stacked: true, decimals: 0, softMax: 4, ...g })
    .drawStyle(common.GraphDrawStyle.Bars)
    .barWidthFactor(0.9)
    .lineWidth(0)
    .fillOpacity(80)
    .interval('2m');

/** States over time, one line per series. */
export interface Timeline extends Omit<Shown, 'unit'> {
  series: Series[];
  mappings: ValueMapping[];
}

export const timeline = (t: Timeline): PanelBuilder => {
  const panel = new statetimeline.PanelBuilder()
    .title(t.title)
    .description(t.description)
    .datasource(DATASOURCE)
    .unit('none')
    .thresholds(thresholdsOf(t.steps ?? noLimit))
    .mappings(t.mappings)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .noValue(t.noValue ?? 'Nothing here in this time range')
    .span(t.span ?? 24)
    .height(t.height ?? 6)
    .fillOpacity(70)
    .lineWidth(0)
    .rowHeight(0.8)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    );
  t.series.forEach((series, index) => panel.withTarget(rangeQuery(refIdOf(index), series)));
  return panel;
};

/** How a histogram of durations is spread over time. `expr` is a sum by (le). */
export const spread = (s: Shown & { expr: string }): PanelBuilder =>
  new heatmap.PanelBuilder()
    .title(s.title)
    .description(s.description)
    .datasource(DATASOURCE)
    .unit('short')
    .thresholds(thresholdsOf(noLimit))
    .noValue(s.noValue ?? 'Nothing here in this time range')
    .span(s.span ?? 12)
    .height(s.height ?? 8)
    .interval('2m')
    .calculate(false)
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Blues')
        .steps(32)
        .reverse(false)
        .exponent(0.5),
    )
    .filterValues(new heatmap.FilterValueRangeBuilder().le(1e-9))
    .yAxis(new heatmap.YAxisConfigBuilder().unit(s.unit))
    .cellGap(1)
    .hideLegend()
    .withTarget(rangeQuery('A', [s.expr, '{{le}}']).format(prometheus.PromQueryFormat.Heatmap));

/** Text. */
export const note = (title: string, content: string, height: number): PanelBuilder =>
  new text.PanelBuilder()
    .title(title)
    .description('For reading; nothing here changes colour.')
    .datasource(DATASOURCE)
    .mode(text.TextMode.Markdown)
    .content(content)
    .span(24)
    .height(height);
