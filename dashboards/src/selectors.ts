// The label matchers that every query carries, so that the variables at the top of a dashboard apply to it, and what
// many queries are built from.

import { IDLE_IN_TRANSACTION_SECONDS } from './limits.ts';

/**
 * Of every series of a target. A target may have no label `cluster`: All is `.*` there, which matches an absent
 * label too; any other choice leaves such targets out.
 */
export const T = 'job=~"$job", cluster=~"$cluster", target=~"$target"';

/** Of what an exporter says of itself: such series have no target. */
export const E = 'job=~"$job"';

/** Probes whose failure is a fault: canaries fail on purpose, to find out how long a silence the path allows. */
export const FAULTS = 'probe!="idle"';

/** The labels that tell targets apart. */
export const TARGET = 'cluster, target';

/** The silence that the server's keepalives leave: before the first, and from each that was answered to the next. */
export const keepaliveSilence = `max by (${TARGET}) (pgconn_setting_seconds{${T},
  name=~"tcp_keepalives_idle|tcp_keepalives_interval"})`;

export const IDLE_IN_TRANSACTION = 'state=~"idle in transaction.*"';

/** Of a counter, only what rose at all in the chosen range. `more`: matchers beside those of the variables. */
export const everRose = (counter: string, by: string, more = '') =>
  `and on (${by}) (sum by (${by}) (increase(${counter}{${T}${more}}[$__range] @ end())) > 0)`;

/** Of a gauge, only what was above 0 at all in the chosen range. */
export const everAbove0 = (gauge: string, by: string, more = '') =>
  `and on (${by}) (max by (${by}) (max_over_time(${gauge}{${T}${more}}[$__range] @ end())) > 0)`;

/** How often something happened, over time; only of those to which it happened at all in the chosen range. */
export const happened = (counter: string, by: string) =>
  `sum by (${by}) (increase(${counter}{${T}}[$__rate_interval])) ${everRose(counter, by)}`;

/** The labels that tell apart whose sessions they are. */
export const OWNER = `${TARGET}, database, user, application`;

/** Sessions that wait behind one that has been idle for a while: between two statements any is, for a moment. */
export const blockedByIdle = `pgconn_blocked_by_idle_in_transaction{${T}} and on (${OWNER})
  max by (${OWNER}) (pgconn_session_state_oldest_seconds{${T}, ${IDLE_IN_TRANSACTION}})
    > ${IDLE_IN_TRANSACTION_SECONDS.watch}`;

/**
 * The same series in the order of a label that is a whole number: Prometheus orders them by labels as texts, first by
 * this one, which has leading zeros.
 */
export const inOrderOf = (label: string, expr: string) =>
  `label_replace(label_replace(${expr}, "__order", "00000000$1", "${label}", "(.*)"),
    "__order", "$1", "__order", ".*(.{8})")`;

/** The same series in the order of their targets, which the cluster and other labels would come before. */
export const byTarget = (expr: string) => `label_replace(${expr}, "__order", "$1", "target", "(.*)")`;

const STUCK = `(pgconn_collector_success{${T}} == 0 unless ignoring (reason) pgconn_collector_skipped{${T}})`;
/** Collectors that fail, as the alert has it: one that was left out is no failure, nor is a server that is down. */
export const failingCollectors = `${STUCK} and ignoring (collector) (pgconn_up{${T}} == 1)`;
