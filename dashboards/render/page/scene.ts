// A classic dashboard as a scene of Grafana's.
import { standardTransformersRegistry, type AnnotationQuery, type DataTransformerConfig, type FieldConfigSource } from '@grafana/data';
import {
  ConstantVariable, CustomVariable, dataLayers, DataSourceVariable, EmbeddedScene, IntervalVariable, QueryVariable,
  SceneControlsSpacer, SceneDataLayerSet, SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow,
  SceneQueryRunner, SceneRefreshPicker, SceneTimePicker, SceneTimeRange, SceneVariableSet, TextBoxVariable,
  VariableValueSelectors, VizPanel, behaviors, type SceneDataQuery, type SceneVariable, type VariableValue,
} from '@grafana/scenes';
import type { DashboardCursorSync, DataSourceRef } from '@grafana/schema';

import { knownPanelTypes } from './panels';

interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface ClassicPanel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  transparent?: boolean;
  gridPos: GridPos;
  datasource?: DataSourceRef;
  targets?: SceneDataQuery[];
  transformations?: DataTransformerConfig[];
  options?: object;
  fieldConfig?: FieldConfigSource;
  interval?: string;
  maxDataPoints?: number;
  collapsed?: boolean;
  panels?: ClassicPanel[];
  [other: string]: unknown;
}

interface ClassicVariable {
  name: string;
  type: string;
  label?: string;
  hide?: number;
  current?: { text?: VariableValue; value?: VariableValue };
  [other: string]: any;
}

export interface ClassicDashboard {
  uid: string;
  title: string;
  time?: { from: string; to: string };
  graphTooltip?: DashboardCursorSync;
  panels: ClassicPanel[];
  templating?: { list: ClassicVariable[] };
  annotations?: { list: Array<AnnotationQuery & { builtIn?: number }> };
}

export interface SceneOptions {
  from?: string;
  to?: string;
  /** Chosen values of variables, instead of those that the dashboard begins with. */
  variables: Record<string, string[]>;
}

// What the classic model has and this scene does not show. Reported as an error, not left out silently.
const UNSUPPORTED = ['repeat', 'libraryPanel', 'timeFrom', 'timeShift'];

/** Why a panel cannot be drawn as Grafana would. */
export function unsupported(panel: ClassicPanel): string[] {
  const transformations = (panel.transformations ?? []).filter(({ id }) => !standardTransformersRegistry.getIfExists(id));
  return [
    ...(knownPanelTypes.has(panel.type) ? [] : [`panel type ${panel.type} is unknown to this rendering`]),
    ...UNSUPPORTED.filter((name) => panel[name]).map((name) => `${name} is not supported by this rendering`),
    // Scenes silently leave them out.
    ...transformations.map(({ id }) => `transformation ${id} is unknown to this rendering`),
  ];
}

/** All panels but rows, those of collapsed rows too. */
export function panelsOf(dashboard: ClassicDashboard): ClassicPanel[] {
  return dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

export const panelKey = (panel: ClassicPanel) => `panel-${panel.id}`;

function chosen(variable: ClassicVariable, { variables }: SceneOptions) {
  const values = variables[variable.name];
  if (!values) {
    return { value: variable.current?.value, text: variable.current?.text };
  }
  const [value] = values.length === 1 && !variable.multi ? values : [values];
  return { value, text: value };
}

function sceneVariable(variable: ClassicVariable, options: SceneOptions): SceneVariable {
  const { name, label, hide, type } = variable;
  const list = { isMulti: variable.multi, includeAll: variable.includeAll, allValue: variable.allValue, regex: variable.regex };
  const state = { name, label, hide, ...chosen(variable, options) } as { name: string; value: any; text: any };
  switch (type) {
    case 'datasource':
      return new DataSourceVariable({ ...state, ...list, pluginId: variable.query, defaultOptionEnabled: true });
    case 'query':
      return new QueryVariable({
        ...state, ...list, datasource: variable.datasource, query: variable.query, refresh: variable.refresh, sort: variable.sort,
      });
    case 'custom':
      return new CustomVariable({ ...state, ...list, query: variable.query });
    case 'interval':
      return new IntervalVariable({ ...state, intervals: variable.query.split(',') });
    case 'constant':
      return new ConstantVariable({ ...state, value: variable.query });
    case 'textbox':
      return new TextBoxVariable({ ...state, value: state.value ?? variable.query ?? '' });
    default:
      throw new Error(`variable ${name} is of the unknown type ${type}`);
  }
}

function panelData(panel: ClassicPanel) {
  if (!panel.targets?.length) {
    return undefined;
  }
  const $data = new SceneQueryRunner({
    queries: panel.targets,
    datasource: panel.datasource,
    minInterval: panel.interval,
    maxDataPoints: panel.maxDataPoints,
    maxDataPointsFromWidth: true,
  });
  return new SceneDataTransformer({ $data, transformations: panel.transformations ?? [] });
}

function gridItem(panel: ClassicPanel) {
  const { x, y, w: width, h: height } = panel.gridPos;
  const body = new VizPanel({
    key: panelKey(panel),
    title: panel.title ?? '',
    description: panel.description,
    displayMode: panel.transparent ? 'transparent' : 'default',
    pluginId: panel.type,
    options: panel.options ?? {},
    fieldConfig: { defaults: panel.fieldConfig?.defaults ?? {}, overrides: panel.fieldConfig?.overrides ?? [] },
    $data: panelData(panel),
  });
  return new SceneGridItem({ x, y, width, height, body });
}

/** Rows of the grid: a row holds what follows it, or what it hides while it is collapsed. */
function gridChildren(panels: ClassicPanel[]) {
  const children: Array<SceneGridItem | SceneGridRow> = [];
  let open: SceneGridRow | undefined;
  for (const panel of panels) {
    if (panel.type === 'row') {
      const row = new SceneGridRow({
        title: panel.title, x: 0, y: panel.gridPos.y, isCollapsible: true, isCollapsed: panel.collapsed,
        children: (panel.panels ?? []).map(gridItem),
      });
      children.push(row);
      open = panel.collapsed ? undefined : row;
    } else if (open) {
      open.setState({ children: [...open.state.children, gridItem(panel)] });
    } else {
      children.push(gridItem(panel));
    }
  }
  return children;
}

function annotationLayers({ annotations }: ClassicDashboard) {
  const own = (annotations?.list ?? []).filter((annotation) => !annotation.builtIn);
  const layers = own.map(
    (query) => new dataLayers.AnnotationsDataLayer({ name: query.name, isEnabled: Boolean(query.enable), isHidden: query.hide, query })
  );
  return layers.length > 0 ? new SceneDataLayerSet({ layers }) : undefined;
}

/** Opens collapsed rows: a picture shows everything that a dashboard holds. To be called before it is drawn. */
function openRows(layout: SceneGridLayout) {
  for (const child of layout.state.children) {
    if (child instanceof SceneGridRow && child.state.isCollapsed) {
      layout.toggleRow(child);
    }
  }
}

export function dashboardScene(dashboard: ClassicDashboard, options: SceneOptions): EmbeddedScene {
  const layout = new SceneGridLayout({ children: gridChildren(dashboard.panels), isDraggable: false, isLazy: false });
  openRows(layout);
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      from: options.from ?? dashboard.time?.from ?? 'now-6h',
      to: options.to ?? dashboard.time?.to ?? 'now',
      timeZone: 'utc',
    }),
    $variables: new SceneVariableSet({
      variables: (dashboard.templating?.list ?? []).map((variable) => sceneVariable(variable, options)),
    }),
    $data: annotationLayers(dashboard),
    $behaviors: [new behaviors.CursorSync({ sync: dashboard.graphTooltip })],
    controls: [new VariableValueSelectors({}), new SceneControlsSpacer(), new SceneTimePicker({}), new SceneRefreshPicker({})],
    body: layout,
  });
}
