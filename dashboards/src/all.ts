import { capacity } from './capacity.ts';
import { drops } from './drops.ts';
import { exporter } from './exporter.ts';
import { fleet } from './fleet.ts';
import { probes } from './probes.ts';
import { settings } from './settings.ts';
import { tls } from './tls.ts';
import { transactions } from './transactions.ts';

export const dashboards = [fleet, drops, transactions, capacity, probes, tls, settings, exporter];
