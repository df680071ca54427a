// Dashboards of a few panels each, in the classic model.

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
export const RED = '#ff0000';
export const GREEN = '#00ff00';
export const BLUE = '#0000ff';
export const MAGENTA = '#ff00ff';
export const CYAN = '#00ffff';

export const query = (expr, extra = {}) => ({ refId: 'A', datasource: DATASOURCE, expr, range: true, legendFormat: '{{target}}', ...extra });
const instant = (expr, refId, extra = {}) => query(expr, { refId, instant: true, range: false, format: 'table', ...extra });

const thresholds = (color) => ({ thresholds: { mode: 'absolute', steps: [{ value: null, color: BLUE }, { value: 2, color }] } });
const states = {
  mappings: [{ type: 'value', options: { 0: { text: 'down', color: RED, index: 0 }, 1: { text: 'up', color: GREEN, index: 1 } } }],
  custom: { fillOpacity: 100 },
};

/** A panel; `defaults` are those of its fields. */
export const panel = (type, title, targets, defaults = {}, extra = {}) => ({
  type, title, targets, datasource: DATASOURCE, fieldConfig: { defaults, overrides: [] }, options: {}, ...extra,
});

const queryVariable = (name, selector) => ({
  type: 'query', name, datasource: DATASOURCE, refresh: 2, sort: 1, multi: true, includeAll: true, allValue: '.+',
  query: { qryType: 1, query: `label_values(${selector}, ${name})`, refId: 'variable' },
  current: { text: ['All'], value: ['$__all'] },
});

/** Puts panels below each other, six rows high, half as wide as the picture. */
export function dashboard(title, panels, extra = {}) {
  return {
    uid: title.toLowerCase().replaceAll(' ', '-'), title, schemaVersion: 39, time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { type: 'datasource', name: 'datasource', query: 'prometheus', current: { text: 'default', value: 'default' } },
        queryVariable('job', 'up'), queryVariable('target', 'up{job=~"$job"}'),
      ],
    },
    annotations: { list: [] },
    panels: panels.map((one, i) => ({ id: i + 1, gridPos: { x: 0, y: 6 * i, w: 12, h: one.type === 'row' ? 1 : 6 }, ...one })),
    ...extra,
  };
}

const JOINED = [
  { id: 'joinByField', options: { byField: 'target', mode: 'outer' } },
  { id: 'filterFieldsByName', options: { include: { names: ['target', 'Value #A', 'Value #B'] } } },
  { id: 'organize', options: { renameByName: { target: 'Target', 'Value #A': 'Used', 'Value #B': 'Limit' } } },
  { id: 'sortBy', options: { sort: [{ field: 'Used', desc: true }] } },
];

/** Every type of panel, drawn in colours that no theme has. */
export const gallery = dashboard(
  'Gallery',
  [
    { type: 'row', title: 'Values', collapsed: false },
    panel('timeseries', 'Time series', [query('sessions{target=~"$target"}[$__rate_interval]')], {
      color: { mode: 'fixed', fixedColor: GREEN }, custom: { fillOpacity: 100 },
    }),
    panel('timeseries', 'By name', [query('state')], { color: { mode: 'palette-classic-by-name' }, custom: { fillOpacity: 100 } }),
    panel('stat', 'Stat', [query('sessions')], thresholds(GREEN), { options: { colorMode: 'background_solid' } }),
    panel('gauge', 'Gauge', [query('sessions')], { ...thresholds(GREEN), min: 0, max: 10 }),
    panel('bargauge', 'Bar gauge', [query('sessions')], { ...thresholds(GREEN), min: 0, max: 10 }, { options: { displayMode: 'basic', valueMode: 'color' } }),
    panel('table', 'Table', [instant('sessions', 'A'), instant('limits', 'B')], thresholds(GREEN), {
      transformations: JOINED,
      fieldConfig: {
        defaults: thresholds(RED),
        overrides: [{
          matcher: { id: 'byName', options: 'Used' },
          properties: [
            { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
            { id: 'thresholds', value: thresholds(GREEN).thresholds },
          ],
        }],
      },
    }),
    panel('table', 'Narrow column', [instant('sessions', 'A')], { custom: { width: 60, cellOptions: { type: 'color-background', mode: 'basic' } }, ...thresholds(GREEN) }),
    panel('timeseries', 'Soft limit', [query('state')], {
      color: { mode: 'fixed', fixedColor: GREEN }, custom: { fillOpacity: 100, axisSoftMax: 10 },
    }),
    panel('text', 'Text', undefined, {}, { options: { mode: 'markdown', content: '**Target** $target' } }),
    {
      type: 'row', title: 'Over time', collapsed: true, panels: [
        panel('state-timeline', 'State timeline', [query('state')], states),
        panel('status-history', 'Status history', [query('state', { interval: '5m' })], states),
        panel('heatmap', 'Heatmap', [query('buckets', { format: 'heatmap' })], {}, { options: { color: { mode: 'opacity', fill: GREEN, exponent: 0.5 } } }),
      ].map((one, i) => ({ id: 100 + i, gridPos: { x: 0, y: 100 + 6 * i, w: 12, h: 6 }, ...one })),
    },
    panel('timeseries', 'Nothing there', [query('empty')], { noValue: 'nothing to see' }),
    panel('timeseries', 'Not a number', [query('nan')]),
  ],
  {
    annotations: {
      list: [
        { name: 'Restarts', enable: true, datasource: DATASOURCE, expr: 'restarts', iconColor: MAGENTA, step: '15s', titleFormat: 'restart' },
        { name: 'Before', enable: true, datasource: DATASOURCE, expr: 'earlier', iconColor: CYAN, useValueForTime: true },
      ],
    },
  }
);

export const faulty = [
  dashboard('Broken query', [panel('timeseries', 'Broken', [query('sessions'), query('broken(', { refId: 'B' })])]),
  dashboard('Unknown type', [panel('flamegraph', 'Flames', [query('sessions')]), panel('stat', 'Sound', [query('sessions')])]),
  dashboard('Unknown transformation', [panel('table', 'Transformed', [query('sessions')], {}, { transformations: [{ id: 'alchemy', options: {} }] })]),
  dashboard('Foreign data source', [
    panel('stat', 'Foreign', [query('sessions', { datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' } })], {}, {
      datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' },
    }),
  ]),
  dashboard('Throwing panel', [panel('heatmap', 'Thrown', [query('buckets', { format: 'heatmap' })], {}, { options: { calculate: true } })]),
  dashboard('Unsupported', [panel('stat', 'Repeated', [query('sessions')], {}, { repeat: 'target' })]),
  dashboard('Broken variable', [panel('stat', 'Sound', [query('sessions')])], {
    templating: {
      list: [
        { type: 'datasource', name: 'datasource', query: 'prometheus', current: { text: 'default', value: 'default' } },
        { ...queryVariable('job', 'up'), query: 'metrics(.*)' },
      ],
    },
  }),
  dashboard('Broken annotation', [panel('stat', 'Sound', [query('sessions')])], {
    annotations: { list: [{ name: 'Restarts', enable: true, datasource: DATASOURCE, expr: 'broken(', iconColor: RED }] },
  }),
];

export const hanging = dashboard('Hanging', [panel('stat', 'Sound', [query('sessions')]), panel('stat', 'Waits', [query('hanging')])]);
