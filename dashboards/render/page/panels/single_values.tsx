// Stat, gauge and bar gauge: one tile for each value.
import {
  getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation, type DisplayValueAlignmentFactors,
  type FieldDisplay, type PanelProps,
} from '@grafana/data';
import { BarGaugeDisplayMode, BarGaugeSizing, BigValueGraphMode, BigValueTextMode } from '@grafana/schema';
import { defaultOptions as barGaugeDefaults } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import { defaultOptions as gaugeDefaults } from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import { defaultOptions as statDefaults } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import { BarGauge, BigValue, useTheme2, VizRepeater } from '@grafana/ui';
import type { JSX } from 'react';

import { Arc } from './arc';
import type { PanelDefinition } from './plugin';

interface Tile {
  value: FieldDisplay;
  width: number;
  height: number;
  orientation: VizOrientation;
  alignmentFactors: DisplayValueAlignmentFactors;
  count: number;
}

interface TilesProps {
  panel: PanelProps;
  sparkline?: boolean;
  itemSpacing?: number;
  autoGrid?: boolean;
  children: (tile: Tile) => JSX.Element;
}

function Tiles({ panel, sparkline = false, itemSpacing = 3, autoGrid = false, children }: TilesProps) {
  const theme = useTheme2();
  const { data, fieldConfig, options, replaceVariables, timeZone, width, height, renderCounter } = panel;
  const getValues = () => {
    const { reduceOptions, showPercentChange: percentChange } = options;
    return getFieldDisplayValues({
      fieldConfig, reduceOptions, replaceVariables, theme, data: data.series, sparkline, timeZone, percentChange,
    });
  };
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={children}
      source={data}
      width={width}
      height={height}
      renderCounter={renderCounter}
      orientation={options.orientation}
      itemSpacing={itemSpacing}
      autoGrid={autoGrid}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.sizing === BarGaugeSizing.Manual ? options.maxVizHeight : undefined}
    />
  );
}

function StatPanel(panel: PanelProps) {
  const theme = useTheme2();
  const { options, fieldConfig, title, timeRange } = panel;
  const named = options.textMode === BigValueTextMode.Auto && (fieldConfig.defaults.displayName || !title);
  return (
    <Tiles panel={panel} sparkline={options.graphMode !== BigValueGraphMode.None} autoGrid>
      {({ value, width, height, alignmentFactors, count }) => (
        <BigValue
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange }}
          count={count}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={named ? BigValueTextMode.ValueAndName : options.textMode}
          text={options.text}
          disableWideLayout={!options.wideLayout}
          percentChangeColorMode={options.percentChangeColorMode}
          alignmentFactors={alignmentFactors}
          theme={theme}
          width={width}
          height={height}
        />
      )}
    </Tiles>
  );
}

function BarGaugePanel(panel: PanelProps) {
  const theme = useTheme2();
  const { options } = panel;
  return (
    <Tiles panel={panel} itemSpacing={options.displayMode === BarGaugeDisplayMode.Lcd ? 2 : 10}>
      {({ value: { field, display, view, colIndex }, width, height, orientation, alignmentFactors, count }) => (
        <BarGauge
          value={count === 1 && !field.displayName ? { ...display, title: undefined } : display}
          field={field}
          display={view?.getFieldDisplayProcessor(colIndex!)}
          text={options.text}
          width={width}
          height={height}
          orientation={orientation}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          alignmentFactors={count > 1 ? alignmentFactors : undefined}
          theme={theme}
        />
      )}
    </Tiles>
  );
}

const GaugePanel = (panel: PanelProps) => (
  <Tiles panel={panel} autoGrid>
    {({ value, width, height, count }) => (
      <Arc
        display={count === 1 && !value.field.displayName ? { ...value.display, title: undefined } : value.display}
        config={value.field}
        width={width}
        height={height}
        thresholdMarkers={panel.options.showThresholdMarkers}
      />
    )}
  </Tiles>
);

const SHARED = { reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' }, orientation: VizOrientation.Auto };

export const stat: PanelDefinition = { id: 'stat', component: StatPanel, options: { ...SHARED, ...statDefaults } };
export const gauge: PanelDefinition = { id: 'gauge', component: GaugePanel, options: { ...SHARED, ...gaugeDefaults } };
export const barGauge: PanelDefinition = { id: 'bargauge', component: BarGaugePanel, options: { ...SHARED, ...barGaugeDefaults } };
