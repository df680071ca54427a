// Where a value begins to need attention: the numbers of alerts/settings.rules.yml where that has one. Changing them
// there for one site changes only the alerts.

export interface Limits {
  watch: number;
  act: number;
}

export const DAY = 86_400; // seconds

export const IDLE_IN_TRANSACTION_SECONDS: Limits = { watch: 10, act: 300 };
export const TIMEOUT_RATIO: Limits = { watch: 0.5, act: 0.8 };
export const LONG_RUNNING_SECONDS: Limits = { watch: 300, act: 3600 };
export const SLOTS_RATIO: Limits = { watch: 0.8, act: 0.95 };
/** Connection limits lower than this are there to be reached. */
export const LIMIT_WATCHED_FROM = 5;
export const SLOTS_PREDICTION_SECONDS = 2 * 3600;
export const CERTIFICATE_SECONDS: Limits = { watch: 21 * DAY, act: 3 * DAY };
export const CERTIFICATE_LIFETIME_RATIO: Limits = { watch: 1 / 3, act: 1 / 10 };
/** The share of probes that may fail: an objective of 99.9 %. */
export const PROBE_FAILURE_BUDGET = 0.001;
export const CONNECT_SECONDS: Limits = { watch: 0.5, act: 2 };
