// Heatmap of counts per bucket. Grafana's own is not in its published packages.
import {
  colorManipulator, FieldType, formattedValueToString, getFieldDisplayName, getValueFormat, outerJoinDataFrames, type DataFrame, type PanelProps,
} from '@grafana/data';
import { defaultOptions, HeatmapColorMode } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import { useTheme2 } from '@grafana/ui';
import * as schemes from 'd3-scale-chromatic';
import { useMemo } from 'react';
import type uPlot from 'uplot';

import { OrdinalPlot } from './ordinal_plot';
import { NoData, type PanelDefinition } from './plugin';

// Which end of a scheme is for low values: Grafana inverts some on a dark background, some on a light one, some always.
const TURNED_ALWAYS = new Set(['RdBu', 'RdYlBu', 'RdYlGn', 'Spectral', 'Rainbow', 'Sinebow']);
const TURNED_ON_LIGHT = new Set(['Turbo', 'Cividis', 'Viridis', 'Magma', 'Inferno', 'Plasma', 'Warm', 'Cool', 'CubehelixDefault']);

function isTurned(scheme: string, isDark: boolean) {
  return TURNED_ALWAYS.has(scheme) || (TURNED_ON_LIGHT.has(scheme) ? !isDark : isDark);
}

interface Buckets {
  times: number[];
  interval: number;
  names: string[];
  counts: number[][];
  largest: number;
}

function bucketsOf(frames: DataFrame[]): Buckets | undefined {
  const frame = frames.length > 1 ? outerJoinDataFrames({ frames }) : frames[0];
  const times = frame?.fields.find(({ type }) => type === FieldType.time);
  const fields = frame?.fields.filter(({ type }) => type === FieldType.number) ?? [];
  if (!frame || !times || fields.length === 0) {
    return undefined;
  }
  const counts = fields.map(({ values }) => values as number[]);
  const steps = times.values.slice(1).map((time: number, i: number) => time - times.values[i]);
  return {
    times: times.values,
    interval: times.config.interval ?? Math.min(...steps),
    names: fields.map((field) => getFieldDisplayName(field, frame)),
    counts,
    largest: counts.flat().reduce((a, b) => Math.max(a, b ?? 0), 0),
  };
}

function colorScale({ mode, scheme, fill, exponent, reverse }: any, isDark: boolean, named: (name: string) => string) {
  if (mode === HeatmapColorMode.Opacity) {
    return (share: number) => colorManipulator.alpha(named(fill), share ** exponent);
  }
  const interpolator = (schemes as Record<string, unknown>)[`interpolate${scheme}`] as ((t: number) => string) | undefined;
  if (!interpolator) {
    throw new Error(`colour scheme ${scheme} is unknown`);
  }
  const turned = isTurned(scheme, isDark) !== Boolean(reverse);
  return (share: number) => interpolator(turned ? 1 - share : share);
}

function drawCells(u: uPlot, buckets: Buckets, color: (share: number) => string, atLeast: number) {
  const { ctx, bbox } = u;
  const { times, interval, counts, largest } = buckets;
  const height = bbox.height / counts.length;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  counts.forEach((row, i) => {
    const top = bbox.top + bbox.height - (i + 1) * height;
    row.forEach((count, t) => {
      if (!(count > atLeast)) {
        return;
      }
      const left = u.valToPos(times[t] - interval, 'x', true); // a rate describes the time before it
      const width = u.valToPos(times[t], 'x', true) - left;
      ctx.fillStyle = color(count / largest);
      ctx.fillRect(left, top, Math.max(1, width - 1), Math.max(1, height - 1));
    });
  });
  ctx.restore();
}

function HeatmapPanel({ data, options, fieldConfig, timeRange, timeZone, width, height }: PanelProps) {
  const theme = useTheme2();
  const buckets = useMemo(() => bucketsOf(data.series), [data]);
  const unit = options.yAxis?.unit ?? fieldConfig.defaults.unit;
  const labels = useMemo(() => {
    const format = getValueFormat(unit);
    const text = (name: string) => (Number.isFinite(Number(name)) ? formattedValueToString(format(Number(name), options.yAxis?.decimals)) : name);
    return (buckets?.names ?? []).map((name, i) => ({ at: i + 1, text: text(name) }));
  }, [buckets, unit, options]);
  const draw = useMemo(() => {
    const color = colorScale({ ...defaultOptions.color, ...options.color }, theme.isDark, theme.visualization.getColorByName);
    return (u: uPlot) => buckets && drawCells(u, buckets, color, options.filterValues?.le ?? 0);
  }, [buckets, options, theme]);
  if (options.calculate) {
    throw new Error('heatmaps that calculate their buckets are not supported by this rendering');
  }
  if (!buckets || buckets.largest === 0) {
    return <NoData fieldConfig={fieldConfig} />;
  }
  return (
    <OrdinalPlot
      width={width} height={height} timeRange={timeRange} timeZone={timeZone} rows={buckets.names.length} labels={labels}
      annotations={data.annotations} draw={draw}
    />
  );
}

export const heatmap: PanelDefinition = { id: 'heatmap', component: HeatmapPanel, options: defaultOptions };
