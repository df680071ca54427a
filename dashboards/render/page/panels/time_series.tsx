import {
  cacheFieldDisplayNames, FieldColorModeId, FieldConfigProperty, FieldType, type DataFrame, type Field, type PanelProps,
} from '@grafana/data';
import { TimeSeries, useTheme2, type UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect } from 'react';

import { drawAnnotations } from './annotation_marks';
import { NoData, type PanelDefinition } from './plugin';

const DEFAULTS = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none',
  lineStyle: { fill: 'solid' }, barAlignment: 0, barWidthFactor: 0.6, showPoints: 'auto', pointSize: 5,
  spanNulls: false, insertNulls: false, axisPlacement: 'auto', axisLabel: '', axisColorMode: 'text',
  axisBorderShow: false, axisCenteredZero: false, scaleDistribution: { type: 'linear' },
  stacking: { mode: 'none', group: 'A' }, hideFrom: { legend: false, tooltip: false, viz: false },
  thresholdsStyle: { mode: 'off' }, axisSoftMin: undefined, axisSoftMax: undefined, axisWidth: undefined,
  axisGridShow: undefined, barMaxWidth: undefined, fillBelowTo: undefined, fillColor: undefined, lineColor: undefined,
  pointColor: undefined, pointSymbol: undefined, showValues: undefined, transform: undefined,
};

const finite = (value: unknown) => (Number.isFinite(value) ? value : null);

/** Frames of time and numbers alone, each number field with its place in the palette and in the legend. */
function graphable(frames: DataFrame[]): DataFrame[] {
  cacheFieldDisplayNames(frames); // some palettes choose by name
  let seriesIndex = 0;
  const withTime = frames.filter((frame) => frame.length > 0 && frame.fields.some(({ type }) => type === FieldType.time));
  return withTime.map((frame, frameIndex) => ({
    ...frame,
    fields: frame.fields
      .filter(({ type }) => type === FieldType.time || type === FieldType.number)
      .map((field, fieldIndex): Field => {
        const state = { ...field.state, origin: { frameIndex, fieldIndex } };
        if (field.type === FieldType.time) {
          return { ...field, state };
        }
        return { ...field, values: field.values.map(finite), state: { ...state, seriesIndex: seriesIndex++ } };
      }),
  }));
}

function AnnotationMarks({ builder, annotations }: { builder: UPlotConfigBuilder; annotations: DataFrame[] }) {
  const theme = useTheme2();
  // Layout effects of children run before the plot is made from the builder.
  useLayoutEffect(() => builder.addHook('draw', (u) => drawAnnotations(u, annotations, theme)), [builder, annotations, theme]);
  return null;
}

function TimeSeriesPanel({ data, timeRange, timeZone, width, height, options, fieldConfig }: PanelProps) {
  const frames = graphable(data.series);
  const annotations = data.annotations ?? [];
  if (frames.length === 0) {
    return <NoData fieldConfig={fieldConfig} />;
  }
  const events = annotations.reduce((count, frame) => count + frame.length, 0);
  return (
    <TimeSeries
      key={events} // a plot keeps the hooks it was made with
      frames={frames}
      structureRev={data.structureRev}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={options.legend}
      options={options}
    >
      {(builder: UPlotConfigBuilder) => <AnnotationMarks builder={builder} annotations={annotations} />}
    </TimeSeries>
  );
}

export const timeSeries: PanelDefinition = {
  id: 'timeseries',
  component: TimeSeriesPanel,
  options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'single', sort: 'none' } },
  custom: DEFAULTS,
  standard: { [FieldConfigProperty.Color]: { mode: FieldColorModeId.PaletteClassic } },
};
