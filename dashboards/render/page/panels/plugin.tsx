// How a panel becomes a plugin that scenes can draw, and what all of them share.
import { identityOverrideProcessor, PanelPlugin, type FieldConfigProperty, type PanelProps } from '@grafana/data';
import { sceneUtils } from '@grafana/scenes';
import { useTheme2 } from '@grafana/ui';
import { Component, type ComponentType, type ReactNode } from 'react';

const NO_EDITOR = () => null;
const thrown = new Map<number, string>();

/** Why a panel's own code failed, if it did. */
export const thrownBy = (panelId: number) => thrown.get(panelId);

class ErrorBoundary extends Component<{ panelId: number; children: ReactNode }, { message?: string }> {
  state: { message?: string } = {};

  static getDerivedStateFromError(error: Error) {
    return { message: error.message };
  }

  componentDidCatch(error: Error) {
    thrown.set(this.props.panelId, error.message);
  }

  render() {
    return this.state.message === undefined ? this.props.children : <Message text={this.state.message} />;
  }
}

/** A text in the middle of a panel. */
export function Message({ text }: { text: string }) {
  const theme = useTheme2();
  const color = theme.colors.text.secondary;
  return <div style={{ display: 'flex', height: '100%', alignItems: 'center', justifyContent: 'center', color }}>{text}</div>;
}

/** What a panel says that has nothing to show. */
export const NoData = ({ fieldConfig }: Pick<PanelProps, 'fieldConfig'>) => (
  <Message text={fieldConfig.defaults.noValue || 'No data'} />
);

export interface PanelDefinition {
  id: string;
  component: ComponentType<PanelProps>;
  /**
   * Options and custom field options, with the defaults where the dashboard sets nothing. Paths may have dots. Custom
   * field options that are not named here do not count.
   */
  options?: object;
  custom?: object;
  standard?: Partial<Record<FieldConfigProperty, unknown>>;
}

export function registerPanel({ id, component: Panel, options = {}, custom = {}, standard = {} }: PanelDefinition) {
  const Guarded = (props: PanelProps) => (
    <ErrorBoundary panelId={props.id}>
      <Panel {...props} />
    </ErrorBoundary>
  );
  const plugin = new PanelPlugin(Guarded)
    .setPanelOptions((builder) => {
      for (const [path, defaultValue] of Object.entries(options)) {
        builder.addCustomEditor({ id: path, path, name: path, editor: NO_EDITOR, defaultValue });
      }
    })
    .useFieldConfig({
      standardOptions: Object.fromEntries(Object.entries(standard).map(([name, defaultValue]) => [name, { defaultValue }])),
      useCustomConfig: (builder) => {
        for (const [path, defaultValue] of Object.entries(custom)) {
          builder.addCustomEditor({
            id: path, path: path as never, name: path, editor: NO_EDITOR, override: NO_EDITOR,
            process: identityOverrideProcessor, shouldApply: () => true, defaultValue,
          });
        }
      },
    })
    .setDataSupport({ annotations: true });
  sceneUtils.registerRuntimePanelPlugin({ pluginId: id, plugin: plugin as never });
}
