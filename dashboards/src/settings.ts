import { dashboard } from './dashboard.ts';
import { FIXES } from './findings.ts';
import { nothing, tile, words } from './panels.ts';
import { T, TARGET, keepaliveSilence } from './selectors.ts';
import { list, matrix } from './tables.ts';
import { ACT, CLOCK, NEUTRAL, NONE, WATCH, any, informs } from './theme.ts';

const TIMEOUTS = [
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'statement_timeout',
  'lock_timeout',
  'deadlock_timeout',
  'authentication_timeout',
  'client_connection_check_interval',
  'tcp_user_timeout',
  'wal_sender_timeout',
];

const SWITCHES = ['log_connections', 'log_disconnections', 'restart_after_crash', 'ssl', 'track_activities'];

const SIZES = ['shared_buffers', 'work_mem'];

const seconds = (name: string) => `max by (${TARGET}) (pgconn_setting_seconds{${T}, name="${name}"})`;
const pathLimit = `min by (${TARGET}) (pgconn_path_idle_limit_seconds{${T}})`;
const withFindings = (severity: string) => `count(pgconn_finding{${T}, severity=~"${severity}"} == 1) or vector(0)`;

export const settings = dashboard({
  name: 'settings',
  title: 'Timeouts and findings',
  question: 'Which settings let connections drop, or let them hang?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Findings to fix',
          description: 'Findings of severity warning or critical. When orange, the table below says how to fix each.',
          unit: 'short',
          expr: withFindings('warning|critical'),
          steps: any(WATCH),
        }),
        tile({
          title: 'To consider',
          description: 'Findings that may be right as they are; the table says when.',
          unit: 'short',
          expr: withFindings('info'),
          steps: informs,
        }),
        tile({
          title: 'Wait for a restart',
          description:
            'Settings whose new value takes effect only after a restart of the server. When orange, the next restart, ' +
            'planned or not, changes its behaviour.',
          unit: 'short',
          expr: `sum(pgconn_setting_pending_restart{${T}}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Keepalive too late',
          description:
            'Targets whose keepalives come after the path has forgotten an idle connection. When orange, lower ' +
            'tcp_keepalives_idle and tcp_keepalives_interval below the limit of the path.',
          unit: 'short',
          expr: `count(${keepaliveSilence} >= ${pathLimit}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Idle without a limit',
          description:
            'Targets whose server sets no idle_in_transaction_session_timeout; roles and databases may. When orange, ' +
            'a forgotten transaction holds its locks indefinitely.',
          unit: 'short',
          expr: `count(${seconds('idle_in_transaction_session_timeout')} == 0) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Last configuration load',
          description: 'When a server last read its configuration. Ask about a change that nobody seems to have made.',
          unit: 'dateTimeFromNow',
          expr: `1000 * max(pgconn_server_config_load_time_seconds{${T}})`,
          steps: informs,
        }),
      ],
    },
    {
      title: 'Findings',
      panels: [
        list({
          title: 'Findings and their fixes',
          description:
            'What is wrong with the settings of the chosen targets, the worst first. The exporter’s own page has the ' +
            'reason for each; a fix for one role is better than one for all.',
          span: 24,
          height: 11,
          filterable: true,
          noValue: 'Nothing to fix',
          order: 'Severity',
          columns: [
            {
              title: 'Severity',
              label: 'rank',
              width: 100,
              soft: true,
              mappings: [
                words({
                  1: { text: 'critical', color: ACT },
                  2: { text: 'warning', color: WATCH },
                  3: { text: 'info', color: NEUTRAL },
                }),
              ],
            },
            { title: 'Target', label: 'target', width: 160 },
            { title: 'Finding', label: 'finding', width: 300 },
            { title: 'Subject', label: 'subject', width: 200 },
            {
              title: 'Fix',
              label: 'fix',
              mappings: [words(Object.fromEntries(Object.entries(FIXES).map(([name, fix]) => [name, { text: fix }])))],
            },
            {
              title: '',
              // The names of severities do not sort by weight, and each fix is mapped from a finding's name.
              expr: `label_replace(label_replace(label_replace(label_replace(
                max by (${TARGET}, severity, finding, subject) (pgconn_finding{${T}} == 1),
                "fix", "$1", "finding", "(.+)"),
                "rank", "1", "severity", "critical"), "rank", "2", "severity", "warning"),
                "rank", "3", "severity", "info")`,
            },
            { hidden: 'severity', title: 'severity' },
          ],
          ascending: true,
        }),
      ],
    },
    {
      title: 'Timeouts',
      panels: [
        matrix({
          title: 'Timeouts of the servers',
          description:
            'The value that a session gets if nothing sets another. Off lets a session wait indefinitely; the ' +
            'findings say where that matters.',
          unit: 's',
          span: 24,
          height: 12,
          expr: `max by (target, name) (pgconn_setting_seconds{${T}, name=~"${TIMEOUTS.join('|')}"})`,
          rows: { title: 'Setting', label: 'name', width: 280 },
          columns: 'target',
          mappings: [words({ 0: { text: 'off' } })],
        }),
        list({
          title: 'Set for roles and databases',
          description:
            'Values that sessions of a role, in a database, or both get instead of the server’s. Check here before a ' +
            'timeout of the server is blamed.',
          span: 12,
          filterable: true,
          noValue: 'Nothing is set for a role or a database',
          order: 'Role',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Role', label: 'role', mappings: nothing('all') },
            { title: 'Database', label: 'database', mappings: nothing('all') },
            { title: 'Setting', label: 'name', width: 290 },
            {
              title: 'Value',
              expr: `max by (${TARGET}, role, database, name) (pgconn_setting_override_seconds{${T}})`,
              unit: 's',
              mappings: [words({ 0: { text: 'off' } })],
              width: 110,
            },
          ],
        }),
        list({
          title: 'Keepalives against the path',
          description:
            'The longest silence between the server’s keepalives, when it gives up a dead client, and the idle time ' +
            'that the path allows. Coloured where keepalives come too late.',
          span: 12,
          order: 'Target',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Keepalive within', expr: keepaliveSilence, unit: CLOCK },
            {
              title: 'Gives up after',
              expr: `${seconds('tcp_keepalives_idle')} + ${seconds('tcp_keepalives_interval')}
                * max by (${TARGET}) (pgconn_setting_value{${T}, name="tcp_keepalives_count"})`,
              unit: CLOCK,
            },
            { title: 'Path allows', expr: pathLimit, unit: CLOCK },
            {
              title: 'In time',
              expr: `${keepaliveSilence} < bool ${pathLimit}`,
              mappings: [words({ 0: { text: 'too late', color: WATCH }, 1: { text: 'yes', color: NONE } })],
            },
          ],
        }),
      ],
    },
    {
      title: 'Other settings',
      panels: [
        matrix({
          title: 'Limits',
          description:
            'Numbers that decide about connections, as the servers have them. Compare similar targets: a difference ' +
            'is rarely intended.',
          unit: 'none',
          span: 24,
          height: 8,
          expr: `max by (target, name) (pgconn_setting_value{${T}, name!~"${[...SIZES, ...SWITCHES].join('|')}"})`,
          rows: { title: 'Setting', label: 'name', width: 280 },
          columns: 'target',
        }),
        matrix({
          title: 'Switches',
          description: 'What is on and off. Without log_connections and log_disconnections drops leave no trace.',
          unit: 'none',
          span: 24,
          height: 7,
          expr: `max by (target, name) (pgconn_setting_value{${T}, name=~"${SWITCHES.join('|')}"})`,
          rows: { title: 'Setting', label: 'name', width: 280 },
          columns: 'target',
          mappings: [words({ 0: { text: 'off' }, 1: { text: 'on' } })],
        }),
        list({
          title: 'Memory',
          description:
            'Memory that all sessions share, and what each step of each statement may take in addition. Slots times ' +
            'work_mem must fit into the host’s memory, or the kernel kills processes.',
          order: 'Target',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            ...SIZES.map((name) => ({
              title: name,
              expr: `max by (${TARGET}) (pgconn_setting_value{${T}, name="${name}"})`,
              unit: 'bytes',
              decimals: 0,
            })),
          ],
        }),
        list({
          title: 'Waiting for a restart',
          description:
            'Settings that were changed but need a restart to take effect. Restart at a time of your choice.',
          span: 12,
          noValue: 'Nothing waits for a restart',
          order: 'Target',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Setting', label: 'name' },
            {
              title: 'Waits',
              expr: `max by (${TARGET}, name) (pgconn_setting_pending_restart{${T}} == 1)`,
              mappings: [words({ 1: { text: 'yes', color: WATCH } })],
              width: 90,
            },
          ],
        }),
      ],
    },
  ],
});
