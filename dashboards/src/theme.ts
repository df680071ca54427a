// The few colours of all dashboards. Green is fine, orange needs a look, red needs somebody now, grey only informs;
// everything else distinguishes series, and one thing has the same colour wherever it appears.

import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Limits } from './limits.ts';

export const FINE = 'green';
export const WATCH = 'orange';
export const ACT = 'red';
export const NEUTRAL = 'text';
export const NONE = 'transparent';
export const LIMIT = '#8E8E8E';

/** Ages and idle times: exact, and as wide for a second as for a day. */
export const CLOCK = 'dtdhms';
/** An age or a remaining time at a glance; with one decimal in two words, such as "1 day, 23 hours". */
export const SPAN = 'dtdurations';
/** Axes of ages reach at least this far, or a clock without fractions would say the same at every tick. */
export const CLOCK_SOFT_MAX = 60;

/** For a panel whose thresholds decide its colour, from the lowest value up. */
export type Step = [from: number | null, color: string];

export const above = ({ watch, act }: Limits, fine = FINE): Step[] => [
  [null, fine],
  [watch, WATCH],
  [act, ACT],
];
export const below = ({ watch, act }: Limits, fine = FINE): Step[] => [
  [null, ACT],
  [act, WATCH],
  [watch, fine],
];
/** One is too many. Counts are estimates where Prometheus extrapolates, so half of one is one. */
export const any = (color = ACT, fine = FINE): Step[] => [
  [null, fine],
  [0.5, color],
];
export const informs: Step[] = [[null, NEUTRAL]];
export const noLimit: Step[] = [[null, NONE]];

export const thresholdsOf = (steps: Step[]) =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })));

/** PostgreSQL's own names of what a session does. */
export const STATES = {
  active: '#5794F2',
  idle: '#8E9AAF',
  'idle in transaction': '#FF9830',
  'idle in transaction (aborted)': '#C4162A',
  'fastpath function call': '#8AB8FF',
  starting: '#CCD3E0',
  disabled: '#4E5661',
};

/** How sessions end other than normally. */
export const ENDS = { abandoned: '#B877D9', fatal: '#FF9830', killed: '#5794F2' };

export const PHASES = {
  resolve: '#CCD3E0',
  tcp: '#B877D9',
  tls: '#FF7EB6',
  startup: '#5794F2',
  query: '#8AB8FF',
  total: '#8E9AAF',
};

/** What the exporter has connections for, probes and others. */
export const PURPOSES = {
  collect: '#CCD3E0',
  diagnose: '#FF7EB6',
  connect: '#5794F2',
  roundtrip: '#8AB8FF',
  idle: '#8E9AAF',
  longquery: '#B877D9',
  certificate: '#96D98D',
};

/** PostgreSQL's own names of what a session waits for. */
export const WAITS = {
  Lock: '#FF9830',
  LWLock: '#F2CC0C',
  BufferPin: '#A67C52',
  Buffer: '#A67C52', // its name from PostgreSQL 19 on
  IO: '#5794F2',
  IPC: '#B877D9',
  Client: '#8E9AAF',
  Timeout: '#4E5661',
  Extension: '#CCD3E0',
};

/** Why probes fail, by the exporter's names. */
export const REASONS = {
  config: '#FADE2A',
  resolve: '#CCD3E0',
  refused: '#A67C52',
  unreachable: '#6B4A2B',
  open_files: '#B5A642',
  timeout: '#7C2EA3',
  reset: '#CA95E5',
  closed: '#B877D9',
  tls_unsupported: '#8F3B76',
  tls_verify: '#E0226E',
  tls_hostname: '#C15C8E',
  tls: '#FF7EB6',
  password_missing: '#F9D9F9',
  authentication: '#F2CC0C',
  role_missing: '#8A6D00',
  permission: '#C0A000',
  database: '#96D98D',
  too_many_connections: '#FF9830',
  role_limit: '#C4602A',
  database_limit: '#8F4A1E',
  starting: '#CCD3E0',
  terminated: '#5794F2',
  canceled: '#8AB8FF',
  lock_timeout: '#FFCB7D',
  server_error: '#E02F44',
  protocol: '#37872D',
  unsupported_version: '#0E6E6E',
  budget: '#8E8E8E',
  stopped: '#4E5661',
};

export const TRANSPORTS = {
  'tls remote': '#3274D9',
  'tls local': '#8AB8FF',
  'gss remote': '#37872D',
  'gss local': '#96D98D',
  'unix local': '#8E9AAF',
  'plain local': '#CCD3E0',
  'plain remote': '#F2495C',
};

export const SCOPES = { all: '#E02F44', idle_only: '#A352CC', some: '#FF9830', one: '#8E9AAF' };

export const RESULTS = { survived: '#56A64B', dropped: '#A352CC', inconclusive: '#8E9AAF' };

/** Whose memory was short: that of the server's cgroup, or of the whole host. */
export const KILLS = { cgroup: '#8B1A2B', host: '#CCD3E0' };

/** Why the server refused logins, by its log; beside those, the names in REASONS have their colours. */
export const REFUSALS = {
  authentication: REASONS.authentication,
  role_limit: REASONS.role_limit,
  database_limit: REASONS.database_limit,
  timeout: REASONS.timeout,
  tls: REASONS.tls,
  no_slot: '#E02F44',
};

/** Events of the server's log that are causes of drops have the colours of these. */
export const LOG_EVENTS = {
  admin_terminate: '#5794F2',
  backend_crash: '#E02F44',
  crash_restart: '#C4162A',
  fast_shutdown: '#1F60C4',
  idle_in_transaction_timeout: '#FF9830',
  idle_session_timeout: '#F2CC0C',
  transaction_timeout: '#FFCB7D',
  recovery_conflict: '#E0B400',
  tls_error: '#FF7EB6',
  connection_lost: '#B877D9',
  too_many_connections: REASONS.too_many_connections,
};

/** What sockets of the server's port are in, by the kernel's names. */
export const SOCKETS = {
  established: '#5794F2',
  listen: '#CCD3E0',
  time_wait: '#8E9AAF',
  close_wait: '#FF9830',
  syn_recv: '#96D98D',
  fin_wait1: '#B877D9',
  fin_wait2: '#CA95E5',
  last_ack: '#7C2EA3',
};
