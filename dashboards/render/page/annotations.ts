// Annotation queries in the form that classic dashboards keep them in.
import type { AnnotationEvent, AnnotationQuery, AnnotationSupport, DataFrame } from '@grafana/data';
import { of } from 'rxjs';

import type { PrometheusQuery } from './prometheus';

const STEP = '60s';

interface ClassicAnnotation extends AnnotationQuery<PrometheusQuery> {
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: boolean;
}

const render = (template: string | undefined, labels: Record<string, string> = {}) =>
  (template ?? '').replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? '');

/** Samples above zero, those that follow one another as one event that lasts. */
function eventsOf(annotation: ClassicAnnotation, frame: DataFrame): AnnotationEvent[] {
  const [times, values] = frame.fields;
  const title = render(annotation.titleFormat, values.labels);
  const text = render(annotation.textFormat, values.labels);
  const step = times.config.interval ?? 0;
  const events: AnnotationEvent[] = [];
  for (let i = 0; i < frame.length; i++) {
    if (!(values.values[i] > 0)) {
      continue;
    }
    const last = events.at(-1);
    const time = annotation.useValueForTime ? values.values[i] : times.values[i];
    if (last && time - (last.timeEnd ?? last.time)! <= step) {
      Object.assign(last, { timeEnd: time, isRegion: true });
    } else {
      events.push({ time, title, text, tags: [] });
    }
  }
  return events;
}

export const annotationSupport: AnnotationSupport<PrometheusQuery, ClassicAnnotation> = {
  prepareAnnotation: (annotation) => annotation,
  prepareQuery: (annotation) => ({
    refId: 'annotation',
    ...annotation.target,
    expr: annotation.target?.expr ?? annotation.expr ?? '',
    interval: annotation.target?.interval ?? annotation.step ?? STEP,
    range: true,
  }),
  processEvents: (annotation, frames) => of(frames.flatMap((frame) => eventsOf(annotation, frame))),
};
