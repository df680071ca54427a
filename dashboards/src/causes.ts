// Why connections drop: what each cause that the exporter distinguishes means, and its colour on every dashboard.
// Similar colours mean similar culprits: blue is a deliberate action, red a crash, yellow to orange a timeout of the
// server, violet the network, teal the pooler.

export interface Cause {
  color: string;
  meaning: string;
  /** What to do first. */
  action: string;
}

export const CAUSES: Record<string, Cause> = {
  admin_terminate: {
    color: '#5794F2',
    meaning: 'Somebody or something called pg_terminate_backend.',
    action: 'Find who in the server log (57P01); a pooler, a failover tool or a cron job may do it.',
  },
  server_shutdown: {
    color: '#1F60C4',
    meaning: 'The server was stopped or restarted.',
    action: 'Planned? If not, see the log and the service manager of its host.',
  },
  crash: {
    color: '#E02F44',
    meaning: 'A backend died (an OOM kill is one way) and the server reset all sessions.',
    action: 'Look for "terminated by signal" in the server log, and for a core file.',
  },
  oom_kill: {
    color: '#8B1A2B',
    meaning:
      'The kernel killed a backend for lack of memory; the server reset all sessions. Needs host: true in the ' +
      'target; without it such a kill is shown as crash.',
    action: 'Lower work_mem times sessions, or add memory; protect the postmaster (OOMScoreAdjust).',
  },
  idle_in_transaction_timeout: {
    color: '#FF9830',
    meaning: 'idle_in_transaction_session_timeout ended a forgotten transaction.',
    action: 'Find the application that waits inside a transaction, and commit before it waits.',
  },
  idle_session_timeout: {
    color: '#F2CC0C',
    meaning: 'idle_session_timeout ended a session that nobody used.',
    action: "Keep the pool's idle time below idle_session_timeout.",
  },
  transaction_timeout: {
    color: '#FFCB7D',
    meaning: 'transaction_timeout ended a transaction that took too long.',
    action: 'Split the work, or allow that role more time.',
  },
  recovery_conflict: {
    color: '#E0B400',
    meaning: 'A standby ended sessions that held up its recovery.',
    action: 'On the standby, look at hot_standby_feedback and max_standby_streaming_delay.',
  },
  path_idle_timeout: {
    color: '#A352CC',
    meaning: 'Only idle connections were lost: something on the path forgets them.',
    action: 'Set tcp_keepalives_idle, or the maximum lifetime of the pool, below the limit of the path.',
  },
  network_reset: {
    color: '#CA95E5',
    meaning: 'The connection was reset without a message from the server.',
    action: 'Check the firewall or balancer on the path; compare with targets on other paths.',
  },
  network_silent: {
    color: '#7C2EA3',
    meaning: 'No answer and no close: packets get lost.',
    action: 'Check the route, security groups and MTU; set tcp_user_timeout.',
  },
  pooler_close: {
    color: '#1B9E9E',
    meaning: 'The pooler closed the connection of a client.',
    action: 'See client_idle_timeout, query_wait_timeout and the log of the pooler.',
  },
  pooler_server_lost: {
    color: '#73D0CE',
    meaning: 'The pooler lost its own connection to the server.',
    action: 'Look at the target behind the pooler, then at the path between the two.',
  },
  tls_error: {
    color: '#FF7EB6',
    meaning: 'TLS failed: a broken record, or a peer that does not know it.',
    action: 'See the TLS dashboard; a middlebox that inspects TLS is a suspect.',
  },
  server_unreachable: {
    color: '#A67C52',
    meaning: 'The connection was lost and no new one could be opened.',
    action: 'Is the host up, and does its port listen? Then check the route and the firewall.',
  },
  unknown: {
    color: '#8E8E8E',
    meaning: 'The evidence is missing or contradicts itself.',
    action: 'The log of the exporter says what was missing.',
  },
};

export const causeColors = Object.fromEntries(Object.entries(CAUSES).map(([name, { color }]) => [name, color]));
