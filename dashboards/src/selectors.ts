// The label matchers that every query carries, so that the variables at the top of a dashboard apply to it, and what
// many queries are built from.

import { IDLE_IN_TRANSACTION_SECONDS } from './limits.ts';

/**
 * For every series of a target. A target may have no label `cluster`: All is `.*` there, which matches an absent
 * label too; any other choice leaves such targets out.
 */
export const T = 'job=~"$job", cluster=~"$cluster", target=~"$target"';

/** For what an exporter says about itself: such series have no target. */
export const E = 'job=~"$job"';

/** Probes whose failure is a fault: canaries fail on purpose, to find out how long an idle time the path allows. */
export const FAULTS = 'probe!="idle"';

/** The labels that identify a target. */
export const TARGET = 'cluster, target';

/** The longest silence with the server's keepalives: before the first, and from each answered one to the next. */
export const keepaliveSilence = `max by (${TARGET}) (pgconn_setting_seconds{${T},
  name=~"tcp_keepalives_idle|tcp_keepalives_interval"})`;

export const IDLE_IN_TRANSACTION = 'state=~"idle in transaction.*"';

/** Of a counter, only what rose at all in the chosen range. `more`: matchers besides those of the variables. */
export const everRose = (counter: string, by: string, more = '') =>
  `and on (${by}) (sum by (${by}) (increase(${counter}{${T}${more}}[$__range] @ end())) > 0)`;

/** Of a gauge, only what was above 0 at all in the chosen range. */
export const everAbove0 = (gauge: string, by: string, more = '') =>
  `and on (${by}) (max by (${by}) (max_over_time(${gauge}{${T}${more}}[$__range] @ end())) > 0)`;

/** How often something happened, over time; only where it happened at all in the chosen range. */
export const happened = (counter: string, by: string) =>
  `sum by (${by}) (increase(${counter}{${T}}[$__rate_interval])) ${everRose(counter, by)}`;

/** The labels that say whose sessions they are. */
export const OWNER = `${TARGET}, database, user, application`;

/** Sessions that wait behind one that has been idle for a while: any session is idle briefly between statements. */
export const blockedByIdle = `pgconn_blocked_by_idle_in_transaction{${T}} and on (${OWNER})
  max by (${OWNER}) (pgconn_session_state_oldest_seconds{${T}, ${IDLE_IN_TRANSACTION}})
    > ${IDLE_IN_TRANSACTION_SECONDS.watch}`;

/**
 * The same series in the order of a label that is a whole number: Prometheus orders labels as text, first by this one,
 * which has leading zeros.
 */
export const inOrderOf = (label: string, expr: string) =>
  `label_replace(label_replace(${expr}, "__order", "00000000$1", "${label}", "(.*)"),
    "__order", "$1", "__order", ".*(.{8})")`;

/** The same series in the order of their targets, before the cluster and other labels. */
export const byTarget = (expr: string) => `label_replace(${expr}, "__order", "$1", "target", "(.*)")`;

const STUCK = `(pgconn_collector_success{${T}} == 0 unless ignoring (reason) pgconn_collector_skipped{${T}})`;
/** Collectors that fail, as in the alert: a skipped one is no failure, nor is a server that is down. */
export const failingCollectors = `${STUCK} and ignoring (collector) (pgconn_up{${T}} == 1)`;
