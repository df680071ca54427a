import { renderTextPanelMarkdown, textUtil, type PanelProps } from '@grafana/data';
import { defaultOptions, TextMode } from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';

import type { PanelDefinition } from './plugin';

function TextPanel({ options, replaceVariables }: PanelProps) {
  const { mode, content } = options;
  if (mode === TextMode.Code) {
    return <pre>{replaceVariables(content)}</pre>;
  }
  const format = mode === TextMode.HTML ? textUtil.sanitizeTextPanelContent : renderTextPanelMarkdown;
  const html = format(replaceVariables(content, {}, 'html'));
  return <div className="markdown-html" style={{ height: '100%', overflow: 'hidden' }} dangerouslySetInnerHTML={{ __html: html }} />;
}

export const text: PanelDefinition = { id: 'text', component: TextPanel, options: { ...defaultOptions, content: '' } };
