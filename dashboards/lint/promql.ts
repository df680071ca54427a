// What the rules need to know about a query: its selectors and their positions.

import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

export interface Selector {
  metric: string;
  /** Matchers by label, such as job → =~"$job". */
  matchers: Map<string, string>;
  /** The window behind it, as written: 5m, $__range; absent for an instant vector. */
  window?: string;
  /** Whether the window ends with the time range rather than with each step: @ end(). */
  atEnd: boolean;
  /** The function that it is an argument of, not counting aggregations and brackets. */
  call?: string;
}

export interface Parsed {
  errors: string[];
  selectors: Selector[];
}

/** Grafana's own variables are no PromQL; these durations stand for them while it is parsed. */
const DURATIONS = { $__rate_interval: '1111s', $__interval: '1112s', $__range: '1113s' };

const filledIn = (expr: string) =>
  Object.entries(DURATIONS).reduce((text, [name, duration]) => text.replaceAll(name, duration), expr);

const asWritten = (duration: string) =>
  Object.entries(DURATIONS).find(([, stands]) => stands === duration)?.[0] ?? duration;

function enclosing(node: SyntaxNode, name: string): SyntaxNode | null {
  for (let outer = node.parent; outer; outer = outer.parent) if (outer.name === name) return outer;
  return null;
}

export function parse(expr: string): Parsed {
  const text = filledIn(expr);
  const at = (node: SyntaxNode) => text.slice(node.from, node.to);
  const parsed: Parsed = { errors: text.trim() ? [] : ['the query is empty'], selectors: [] };

  const read = (node: SyntaxNode): Selector => {
    const matchers = [...at(node).matchAll(/(\w+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")/g)];
    const matrix = node.parent?.name === 'MatrixSelector' ? at(node.parent) : '';
    const call = enclosing(node, 'FunctionCall');
    return {
      metric: at(node).match(/^[a-zA-Z_:][\w:]*/)?.[0] ?? '',
      matchers: new Map(matchers.map(([, label, operator, value]) => [label, operator + value])),
      window: matrix ? asWritten(matrix.match(/\[([^\]]+)\]$/)?.[1] ?? '') : undefined,
      atEnd: node.parent?.parent?.name === 'StepInvariantExpr' && at(node.parent.parent).endsWith('@ end()'),
      call: call ? at(call).match(/^\w+/)?.[0] : undefined,
    };
  };

  parser.parse(text).iterate({
    enter({ node, type }) {
      if (type.isError)
        parsed.errors.push(`not PromQL at …${text.slice(Math.max(0, node.from - 20), node.from + 20)}…`);
      if (type.name === 'VectorSelector') parsed.selectors.push(read(node));
    },
  });
  return parsed;
}
