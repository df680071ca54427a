// Annotations over a plot: a dashed line for a moment, a shaded area for a period.
import { colorManipulator, type DataFrame, type GrafanaTheme2 } from '@grafana/data';
import type uPlot from 'uplot';

const SHADE = 0.15;
const MARK = 5; // pixels, of the triangle below a line
const column = (frame: DataFrame, name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];

function drawEvent(u: uPlot, from: number, to: number | undefined, color: string) {
  const { ctx, bbox } = u;
  const left = Math.round(u.valToPos(from, 'x', true)) + 0.5; // a line one pixel wide is crisp in the middle of a pixel
  if (to !== undefined && to > from) {
    ctx.fillStyle = colorManipulator.alpha(color, SHADE);
    ctx.fillRect(left, bbox.top, u.valToPos(to, 'x', true) - left, bbox.height);
  }
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  const bottom = bbox.top + bbox.height;
  ctx.beginPath();
  ctx.moveTo(left, bottom);
  ctx.lineTo(left - MARK, bottom + MARK);
  ctx.lineTo(left + MARK, bottom + MARK);
  ctx.fill();
}

export function drawAnnotations(u: uPlot, annotations: DataFrame[], theme: GrafanaTheme2) {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height + MARK);
  ctx.clip();
  ctx.lineWidth = 1;
  ctx.setLineDash([5, 5]);
  for (const frame of annotations) {
    const [times, ends, colors] = ['time', 'timeEnd', 'color'].map((name) => column(frame, name));
    times.forEach((time, i) => drawEvent(u, time, ends[i], theme.visualization.getColorByName(colors[i] ?? 'red')));
  }
  ctx.restore();
}
