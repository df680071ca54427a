// A plot whose vertical axis counts rows: what timelines and heatmaps are drawn on.
import type { DataFrame, TimeRange } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation, VisibilityMode } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import type uPlot from 'uplot';

import { drawAnnotations } from './annotation_marks';

const LABEL_HEIGHT = 14; // pixels

interface Label {
  /** Where on the axis, in rows. */
  at: number;
  text: string;
}

/** As many labels as do not touch each other. */
function spaced(u: uPlot, labels: Label[]) {
  const rowHeight = u.bbox.height / devicePixelRatio / Math.max(1, labels.length);
  const every = Math.max(1, Math.ceil(LABEL_HEIGHT / rowHeight));
  return labels.filter((_, i) => i % every === 0);
}

interface OrdinalPlotProps {
  width: number;
  height: number;
  timeRange: TimeRange;
  timeZone: string;
  rows: number;
  labels: Label[];
  /** The first row is the uppermost. */
  topDown?: boolean;
  annotations?: DataFrame[];
  draw: (u: uPlot) => void;
}

export function OrdinalPlot(props: OrdinalPlotProps) {
  const { width, height, timeRange, timeZone, rows, labels, topDown, annotations = [], draw } = props;
  const theme = useTheme2();
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const config = useMemo(() => {
    const builder = new UPlotConfigBuilder(timeZone);
    const [horizontal, vertical] = [ScaleOrientation.Horizontal, ScaleOrientation.Vertical];
    const upward = topDown ? ScaleDirection.Down : ScaleDirection.Up;
    builder.addScale({ scaleKey: 'x', isTime: true, orientation: horizontal, direction: ScaleDirection.Right, range: () => [from, to] });
    builder.addScale({ scaleKey: 'y', isTime: false, orientation: vertical, direction: upward, range: () => [0, rows] });
    builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme, grid: { show: false } });
    builder.addAxis({
      scaleKey: 'y', placement: AxisPlacement.Left, theme, grid: { show: false }, ticks: { show: false },
      splits: (u) => spaced(u, labels).map(({ at }) => at),
      values: (u) => spaced(u, labels).map(({ text }) => text),
    });
    builder.addSeries({ scaleKey: 'y', theme, drawStyle: GraphDrawStyle.Line, lineWidth: 0, showPoints: VisibilityMode.Never });
    builder.addHook('drawClear', draw);
    builder.addHook('draw', (u) => drawAnnotations(u, annotations, theme));
    return builder;
  }, [timeZone, from, to, rows, labels, topDown, annotations, draw, theme]);
  const data = useMemo<uPlot.AlignedData>(() => [[from, to], [null, null]], [from, to]);
  return <UPlotChart config={config} data={data} width={width} height={height} />;
}
