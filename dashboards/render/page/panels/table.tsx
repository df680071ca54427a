import { cacheFieldDisplayNames, type PanelProps } from '@grafana/data';
import { defaultOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import { TableNG } from '@grafana/ui/unstable';

import { NoData, type PanelDefinition } from './plugin';

function TablePanel({ data, options, fieldConfig, timeRange, width, height, transparent }: PanelProps) {
  cacheFieldDisplayNames(data.series);
  const frame = data.series[options.frameIndex] ?? data.series[0];
  if (!frame?.fields.length || data.series.every(({ length }) => length === 0)) {
    return <NoData fieldConfig={fieldConfig} />;
  }
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={!options.showHeader}
      showTypeIcons={options.showTypeIcons}
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      maxRowHeight={options.maxRowHeight}
      frozenColumns={options.frozenColumns?.left}
      enablePagination={options.enablePagination}
      noValue={fieldConfig.defaults.noValue}
      fieldConfig={fieldConfig}
      timeRange={timeRange}
      transparent={transparent}
      structureRev={data.structureRev}
      enableVirtualization
    />
  );
}

export const table: PanelDefinition = {
  id: 'table',
  component: TablePanel,
  options: defaultOptions,
  custom: {
    align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false, hideFrom: {},
    width: undefined, minWidth: undefined, wrapText: undefined, wrapHeaderText: undefined, hideHeader: undefined,
    footer: undefined, tooltip: undefined, styleField: undefined,
  },
};
