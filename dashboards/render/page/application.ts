// What Grafana's application gives its libraries before they can draw: registries and services.
import {
  booleanOverrideProcessor,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  EventBusSrv,
  FieldColorModeId,
  identityOverrideProcessor,
  LoadingState,
  numberOverrideProcessor,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  ThresholdsMode,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
  type DataQueryRequest,
  type DataSourceInstanceSettings,
  type DataSourceRef,
  type DataTransformerInfo,
  type FieldConfigPropertyItem,
  type GrafanaTheme2,
  type PanelData,
  type ScopedVars,
  type TransformerRegistryItem,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { config, setAppEvents, setDataSourceSrv, setPluginImportUtils, setRunRequest, setTemplateSrv } from '@grafana/runtime';
import { sceneGraph } from '@grafana/scenes';
import { from, map, type Observable } from 'rxjs';

import { PROMETHEUS_UID, type PrometheusDataSource, type PrometheusQuery } from './prometheus';

const NO_EDITOR = () => null;

type Standard = Pick<FieldConfigPropertyItem, 'process' | 'defaultValue'>;

const STANDARD_OPTIONS: Record<string, Standard> = {
  unit: { process: unitOverrideProcessor },
  min: { process: numberOverrideProcessor },
  max: { process: numberOverrideProcessor },
  fieldMinMax: { process: booleanOverrideProcessor },
  decimals: { process: numberOverrideProcessor },
  displayName: { process: displayNameOverrideProcessor },
  noValue: { process: stringOverrideProcessor },
  color: { process: identityOverrideProcessor, defaultValue: { mode: FieldColorModeId.Thresholds } },
  links: { process: dataLinksOverrideProcessor },
  mappings: { process: valueMappingsOverrideProcessor, defaultValue: [] },
  thresholds: {
    process: thresholdsOverrideProcessor,
    defaultValue: {
      mode: ThresholdsMode.Absolute,
      steps: [
        { value: -Infinity, color: 'green' },
        { value: 80, color: 'red' },
      ],
    },
  },
  filterable: { process: booleanOverrideProcessor },
};

function standardOption([id, option]: [string, Standard]): FieldConfigPropertyItem {
  return { ...option, id, path: id, name: id, editor: NO_EDITOR, override: NO_EDITOR, shouldApply: () => true };
}

function transformer(info: DataTransformerInfo): TransformerRegistryItem {
  return { id: info.id, name: info.name, transformation: async () => info, editor: NO_EDITOR, imageDark: '', imageLight: '' };
}

function fillRegistries() {
  standardEditorsRegistry.setInit(() => []);
  standardFieldConfigEditorRegistry.setInit(() => Object.entries(STANDARD_OPTIONS).map(standardOption));
  // Some transformers exist under two names.
  const transformers = new Map(Object.values(standardTransformers).map((info) => [info.id, info as DataTransformerInfo]));
  standardTransformersRegistry.setInit(() => [...transformers.values()].map(transformer));
}

function runRequest(source: PrometheusDataSource, request: DataQueryRequest<PrometheusQuery>): Observable<PanelData> {
  return from(source.query(request)).pipe(
    map(({ data, errors = [] }) => ({
      state: errors.length > 0 ? LoadingState.Error : LoadingState.Done,
      series: data,
      error: errors[0],
      errors,
      request,
      timeRange: request.range,
    }))
  );
}

/** The one data source there is. Any other reference fails, as it does where the dashboard is imported. */
function dataSources(source: PrometheusDataSource) {
  const settings = {
    uid: PROMETHEUS_UID,
    name: 'Prometheus',
    type: 'prometheus',
    isDefault: true,
    readOnly: true,
    access: 'proxy',
    jsonData: {},
    meta: { ...source.meta, metrics: true },
  } as DataSourceInstanceSettings;
  const resolve = (ref?: DataSourceRef | string | null, scopedVars?: ScopedVars): string => {
    const uid = (typeof ref === 'string' ? ref : ref?.uid) ?? 'default';
    const scope = scopedVars?.__sceneObject?.value.valueOf();
    const name = scope ? sceneGraph.interpolate(scope, uid) : uid;
    if (name === 'default' || name === PROMETHEUS_UID) {
      return name;
    }
    throw new Error(`data source ${uid} is not the Prometheus of this rendering`);
  };
  return {
    get: async (ref?: DataSourceRef | string | null, scopedVars?: ScopedVars) => {
      resolve(ref, scopedVars);
      return source;
    },
    getList: () => [settings],
    getInstanceSettings: () => settings,
    reload: () => {},
    registerRuntimeDataSource: () => {},
  };
}

/** Makes the page what Grafana's libraries expect to run in. To be awaited before any scene is made. */
export async function startApplication(source: PrometheusDataSource, theme: GrafanaTheme2) {
  await initPluginTranslations('grafana-scenes');
  config.theme2 = theme;
  config.bootData.user.lightTheme = theme.isLight;
  fillRegistries();
  setAppEvents(new EventBusSrv());
  setRunRequest(runRequest as unknown as Parameters<typeof setRunRequest>[0]);
  setDataSourceSrv(dataSources(source) as unknown as Parameters<typeof setDataSourceSrv>[0]);
  setTemplateSrv({
    replace: (text?: string) => text ?? '',
    getVariables: () => [],
    containsTemplate: () => false,
    updateTimeRange: () => {},
  });
  setPluginImportUtils({
    importPanelPlugin: async (id: string) => {
      throw new Error(`panel type ${id} is unknown here`);
    },
    getPanelPluginFromCache: () => undefined,
  });
}
