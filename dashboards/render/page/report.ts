// The result of each panel: the page's answer to the script that opened it.
import { LoadingState } from '@grafana/data';
import { sceneGraph, SceneDataTransformer, VizPanel, type EmbeddedScene, type SceneDataLayerSet, type SceneVariable } from '@grafana/scenes';

import { openRequests } from './api';
import { thrownBy } from './panels';
import type { PrometheusDataSource, QueryOutcome } from './prometheus';
import { panelKey, panelsOf, unsupported, type ClassicDashboard, type ClassicPanel } from './scene';

type State = 'data' | 'no data' | 'error' | 'loading';

/** Where a panel is in the picture, in pixels. */
type Box = Record<'x' | 'y' | 'width' | 'height', number>;

interface PanelReport {
  id: number;
  title: string;
  type: string;
  state: State;
  errors: string[];
  queries: QueryOutcome[];
  box?: Box;
}

export interface Report {
  uid: string;
  title: string;
  variables: Record<string, unknown>;
  panels: PanelReport[];
  /** What went wrong outside of panels: variables, annotations. */
  errors: string[];
  /** What is still being waited for; empty once the picture is complete. */
  unfinished: string[];
}

function drawn(scene: EmbeddedScene, panel: ClassicPanel) {
  const found = sceneGraph.findByKey(scene, panelKey(panel));
  if (!(found instanceof VizPanel)) {
    throw new Error(`no panel ${panel.id} in the scene`);
  }
  return found;
}

function boxOf(panel: ClassicPanel): Box | undefined {
  const box = document.querySelector(`[data-viz-panel-key="${panelKey(panel)}"]`)?.getBoundingClientRect();
  return box && { x: Math.round(box.x), y: Math.round(box.y), width: Math.round(box.width), height: Math.round(box.height) };
}

function stateOf(panel: VizPanel, queries: QueryOutcome[], errors: string[]): State {
  if (errors.length > 0) {
    return 'error';
  }
  const source = panel.state.$data;
  if (!source) {
    return 'data';
  }
  const data = source.state.data;
  if (!data || data.state === LoadingState.Loading || data.state === LoadingState.NotStarted) {
    return 'loading';
  }
  return queries.some(({ numbers }) => numbers > 0) ? 'data' : 'no data';
}

function panelReport(scene: EmbeddedScene, source: PrometheusDataSource, model: ClassicPanel): PanelReport {
  const panel = drawn(scene, model);
  const transformer = panel.state.$data;
  const runner = transformer instanceof SceneDataTransformer ? transformer.state.$data : undefined;
  const queries = (runner && source.outcomes.get(runner)) ?? [];
  const failed = queries.filter(({ error }) => error).map(({ refId, error }) => `query ${refId}: ${error}`);
  const data = transformer?.state.data;
  const others = (data?.errors ?? []).map(({ message }) => message ?? 'unknown error').filter((text) => !queries.some(({ error }) => error === text));
  const errors = [...unsupported(model), ...failed, ...others, thrownBy(model.id)].filter((text) => text !== undefined);
  if (data?.state === LoadingState.Error && errors.length === 0) {
    errors.push(data.error?.message ?? 'unknown error');
  }
  const title = sceneGraph.interpolate(panel, model.title ?? '');
  return { id: model.id, title, type: model.type, state: stateOf(panel, queries, errors), errors, queries, box: boxOf(model) };
}

/** A value asked for that the variable does not have: scenes fall back to another without a word. */
function refused(variable: SceneVariable, asked: string[] | undefined) {
  const value = variable.getValue();
  const has = Array.isArray(value) ? value.map(String) : [String(value)];
  const missing = (asked ?? []).filter((one) => !has.includes(one));
  return missing.length > 0 ? [`variable ${variable.state.name} has no value ${missing.join(', ')}`] : [];
}

export function dashboardReport(
  scene: EmbeddedScene, source: PrometheusDataSource, dashboard: ClassicDashboard, asked: Record<string, string[]>
): Report {
  const set = scene.state.$variables!;
  const waiting = set.state.variables.filter((variable) => set.isVariableLoadingOrWaitingToUpdate(variable));
  const variableErrors = set.state.variables.flatMap((variable) => [
    ...(variable.state.error ? [`variable ${variable.state.name}: ${variable.state.error.message ?? variable.state.error}`] : []),
    ...(waiting.includes(variable) ? [] : refused(variable, asked[variable.state.name])),
  ]);
  const strangers = Object.keys(asked).filter((name) => !set.getByName(name)).map((name) => `there is no variable ${name}`);
  const layers = (scene.state.$data as SceneDataLayerSet | undefined)?.state.layers ?? [];
  const layerErrors = layers.flatMap((layer) =>
    (source.outcomes.get(layer) ?? []).filter(({ error }) => error).map(({ error }) => `annotation ${layer.state.name}: ${error}`)
  );
  const panels = panelsOf(dashboard).map((panel) => panelReport(scene, source, panel));
  const loading = panels.filter(({ state }) => state === 'loading');
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    variables: Object.fromEntries(set.state.variables.map((one) => [one.state.name, one.getValueText?.() ?? String(one.getValue())])),
    panels,
    errors: [...variableErrors, ...strangers, ...layerErrors],
    unfinished: [
      ...waiting.map(({ state }) => `variable ${state.name}`),
      ...loading.map(({ title }) => `panel ${title}`),
      ...(openRequests() > 0 ? [`${openRequests()} requests`] : []),
    ],
  };
}
