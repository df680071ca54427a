// Answers of Prometheus's API as data frames, the way Grafana's Prometheus data source makes them.
import { createDataFrame, DataFrameType, FieldType, type DataFrame, type Labels } from '@grafana/data';

export interface PrometheusSeries {
  metric: Labels;
  value?: [number, string];
  values?: Array<[number, string]>;
}

const samplesOf = (series: PrometheusSeries) => series.values ?? (series.value ? [series.value] : []);

function sampleValue(text: string) {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

/** How many samples are numbers: 0/0 is an answer, but nothing that a panel can show. */
export function countNumbers(series: PrometheusSeries[]) {
  return series.flatMap(samplesOf).filter(([, text]) => text !== 'NaN').length;
}

function seriesName(metric: Labels, expr: string, legend: string | undefined, interpolate: (text: string) => string) {
  const { __name__: name = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  if (legend === '__auto') {
    return pairs.length > 0 ? undefined : name || expr;
  }
  if (legend) {
    return interpolate(legend).replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? '');
  }
  return pairs.length > 0 ? `${name}{${pairs.join(', ')}}` : name || expr;
}

export interface FrameOptions {
  refId: string;
  expr: string;
  legend?: string;
  /** Milliseconds between samples; lets graphs leave a gap where samples are missing. */
  step?: number;
  interpolate: (text: string) => string;
}

/** One frame per series. */
export function timeSeriesFrames(result: PrometheusSeries[], options: FrameOptions): DataFrame[] {
  return result.map((series) => {
    const { __name__: _, ...labels } = series.metric;
    const name = seriesName(series.metric, options.expr, options.legend, options.interpolate);
    const samples = samplesOf(series);
    return createDataFrame({
      refId: options.refId,
      name,
      fields: [
        { name: 'Time', type: FieldType.time, values: samples.map(([time]) => time * 1000), config: { interval: options.step } },
        {
          name: 'Value',
          type: FieldType.number,
          values: samples.map(([, text]) => sampleValue(text)),
          labels,
          config: name === undefined ? {} : { displayNameFromDS: name },
        },
      ],
    });
  });
}

/** One frame whose columns are time, every label, and the value, named `Value #A` where queries share a panel. */
export function tableFrame(result: PrometheusSeries[], refId: string, valueName: string): DataFrame {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = result.flatMap((series) => samplesOf(series).map((sample) => ({ metric: series.metric, sample })));
  return createDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map(({ sample }) => sample[0] * 1000) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        config: { filterable: true },
        values: rows.map(({ metric }) => metric[name] ?? ''),
      })),
      { name: valueName, type: FieldType.number, values: rows.map(({ sample }) => sampleValue(sample[1])) },
    ],
  });
}

/** Cumulative buckets, one series each, as one frame with a column of its own count for each bucket. */
export function heatmapFrames(result: PrometheusSeries[], refId: string, step: number): DataFrame[] {
  if (result.length === 0) {
    return [];
  }
  const buckets = [...result].sort((a, b) => sampleValue(a.metric.le) - sampleValue(b.metric.le));
  const times = [...new Set(buckets.flatMap((bucket) => samplesOf(bucket).map(([time]) => time)))].sort((a, b) => a - b);
  const cumulative = buckets.map((bucket) => {
    const at = new Map(samplesOf(bucket).map(([time, text]) => [time, sampleValue(text)]));
    return times.map((time) => at.get(time) ?? 0);
  });
  const frame = createDataFrame({
    refId,
    meta: { type: DataFrameType.HeatmapRows },
    fields: [
      { name: 'Time', type: FieldType.time, values: times.map((time) => time * 1000), config: { interval: step } },
      ...buckets.map(({ metric }, i) => ({
        name: metric.le,
        type: FieldType.number,
        values: cumulative[i].map((count, t) => Math.max(0, i === 0 ? count : count - cumulative[i - 1][t])),
      })),
    ],
  });
  return [frame];
}
