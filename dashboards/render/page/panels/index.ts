// The types of panels that can be drawn.
import { barGauge, gauge, stat } from './single_values';
import { heatmap } from './heatmap';
import { registerPanel, type PanelDefinition } from './plugin';
import { stateTimeline, statusHistory } from './timeline';
import { table } from './table';
import { text } from './text';
import { timeSeries } from './time_series';

export { thrownBy } from './plugin';

const PANELS: PanelDefinition[] = [timeSeries, stat, gauge, barGauge, table, text, stateTimeline, statusHistory, heatmap];

export const knownPanelTypes = new Set(PANELS.map(({ id }) => id));

export const registerPanels = () => PANELS.forEach(registerPanel);
