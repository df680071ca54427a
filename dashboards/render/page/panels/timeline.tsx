// State timeline and status history: one row per series, coloured by what its values mean.
import {
  cacheFieldDisplayNames, colorManipulator, FieldConfigProperty, FieldColorModeId, FieldType, formattedValueToString, getFieldDisplayName, type DataFrame,
  type Field, type GrafanaTheme2, type PanelProps, type TimeRange,
} from '@grafana/data';
import { LegendDisplayMode, VisibilityMode } from '@grafana/schema';
import { defaultFieldConfig as timelineCustom, defaultOptions as timelineDefaults } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import { defaultFieldConfig as historyCustom, defaultOptions as historyDefaults } from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';
import { measureText, useTheme2, VizLayout, VizLegend, type VizLegendItem } from '@grafana/ui';
import { useMemo } from 'react';
import type uPlot from 'uplot';

import { OrdinalPlot } from './ordinal_plot';
import { NoData, type PanelDefinition } from './plugin';

interface Span {
  from: number;
  to: number;
  text: string;
  color: string;
}

interface Row {
  name: string;
  spans: Span[];
  fillOpacity: number;
}

const FONT_SIZE = 12;
const PADDING = 4;

/** A value holds until the next sample; where samples are missing, for one interval. */
function spansOf(times: Field, values: Field, range: TimeRange): Span[] {
  const interval = times.config.interval ?? Infinity;
  const end = range.to.valueOf();
  const spans: Span[] = [];
  times.values.forEach((from: number, i: number) => {
    const value = values.values[i];
    if (value === null || value === undefined || Number.isNaN(value)) {
      return;
    }
    const display = values.display!(value);
    const next = times.values[i + 1] ?? end;
    const to = Math.min(next - from > 1.5 * interval ? from + interval : next, end);
    spans.push({ from, to, text: formattedValueToString(display), color: display.color ?? '' });
  });
  return spans;
}

/** Neighbours that look alike become one. */
function merged(spans: Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last && last.to === span.from && last.text === span.text && last.color === span.color) {
      last.to = span.to;
    } else {
      result.push({ ...span });
    }
  }
  return result;
}

function rowsOf(frames: DataFrame[], range: TimeRange, merge: boolean): Row[] {
  cacheFieldDisplayNames(frames); // some palettes choose by name
  return frames.flatMap((frame) => {
    const times = frame.fields.find(({ type }) => type === FieldType.time);
    const values = frame.fields.filter(({ type, config }) => type !== FieldType.time && !config.custom?.hideFrom?.viz);
    return (times ? values : []).map((field) => {
      const spans = spansOf(times!, field, range);
      const { fillOpacity = 70 } = field.config.custom ?? {};
      return { name: getFieldDisplayName(field, frame, frames), spans: merge ? merged(spans) : spans, fillOpacity };
    });
  });
}

function legendItems(rows: Row[]): VizLegendItem[] {
  const colors = new Map(rows.flatMap(({ spans }) => spans.map(({ text, color }) => [text, color])));
  return [...colors].map(([label, color]) => ({ label, color, yAxis: 1 }));
}

function drawText(ctx: CanvasRenderingContext2D, span: Span, box: [number, number, number, number], theme: GrafanaTheme2) {
  const [x, y, width, height] = box;
  const ratio = devicePixelRatio;
  if (measureText(span.text, FONT_SIZE).width * ratio + 2 * PADDING * ratio > width) {
    return;
  }
  ctx.font = `500 ${FONT_SIZE * ratio}px ${theme.typography.fontFamily}`;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = theme.colors.getContrastText(span.color, 3);
  ctx.fillText(span.text, x + PADDING * ratio, y + height / 2);
}

/** Draws rows; `colWidth` narrows each box to that share of its time. */
function drawRows(u: uPlot, rows: Row[], theme: GrafanaTheme2, options: { rowHeight: number; colWidth?: number; showValue: VisibilityMode }) {
  const { ctx, bbox } = u;
  const { rowHeight, colWidth = 1, showValue } = options;
  ctx.save();
  rows.forEach(({ spans, fillOpacity }, i) => {
    const top = bbox.top + (bbox.height * (i + (1 - rowHeight) / 2)) / rows.length;
    const height = (bbox.height * rowHeight) / rows.length;
    for (const span of spans) {
      const left = Math.max(bbox.left, u.valToPos(span.from, 'x', true));
      const width = (u.valToPos(span.to, 'x', true) - left) * colWidth;
      ctx.fillStyle = colorManipulator.alpha(span.color, fillOpacity / 100);
      ctx.fillRect(left, top, width, height);
      if (showValue !== VisibilityMode.Never) {
        drawText(ctx, span, [left, top, width, height], theme);
      }
    }
  });
  ctx.restore();
}

function TimelinePanel({ data, options, fieldConfig, timeRange, timeZone, width, height }: PanelProps) {
  const theme = useTheme2();
  const rows = useMemo(() => rowsOf(data.series, timeRange, options.mergeValues), [data, timeRange, options.mergeValues]);
  const labels = useMemo(() => rows.map(({ name }, i) => ({ at: i + 0.5, text: name })), [rows]);
  const draw = useMemo(() => (u: uPlot) => drawRows(u, rows, theme, options), [rows, theme, options]);
  if (rows.every(({ spans }) => spans.length === 0)) {
    return <NoData fieldConfig={fieldConfig} />;
  }
  const legend = options.legend.showLegend ? (
    <VizLayout.Legend placement={options.legend.placement}>
      <VizLegend placement={options.legend.placement} items={legendItems(rows)} displayMode={LegendDisplayMode.List} />
    </VizLayout.Legend>
  ) : null;
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {(plotWidth, plotHeight) => (
        <OrdinalPlot
          width={plotWidth} height={plotHeight} timeRange={timeRange} timeZone={timeZone} rows={rows.length}
          labels={labels} topDown annotations={data.annotations} draw={draw}
        />
      )}
    </VizLayout>
  );
}

const LEGEND = { displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true };
const STANDARD = { [FieldConfigProperty.Color]: { mode: FieldColorModeId.Thresholds } };

export const stateTimeline: PanelDefinition = {
  id: 'state-timeline', component: TimelinePanel, options: { ...timelineDefaults, legend: LEGEND }, custom: timelineCustom, standard: STANDARD,
};
export const statusHistory: PanelDefinition = {
  id: 'status-history', component: TimelinePanel, options: { ...historyDefaults, legend: LEGEND, mergeValues: false }, custom: historyCustom,
  standard: STANDARD,
};
