import { CAUSES, causeColors } from './causes.ts';
import { dashboard } from './dashboard.ts';
import { to, toTargetOfRow } from './links.ts';
import { events, graph, note, tile, words } from './panels.ts';
import { everRose, happened, keepaliveSilence, T, TARGET } from './selectors.ts';
import { list } from './tables.ts';
import {
  CLOCK,
  CLOCK_SOFT_MAX,
  ENDS,
  KILLS,
  LOG_EVENTS,
  REFUSALS,
  RESULTS,
  SCOPES,
  WATCH,
  any,
  informs,
} from './theme.ts';

const incidentsOf = (scope: string) =>
  `sum(increase(pgconn_drop_incidents_total{${T}, scope="${scope}"}[$__range])) or vector(0)`;
const resultsOf = (result: string) =>
  `sum by (rung) (increase(pgconn_idle_canary_results_total{${T}, result="${result}"}[$__range]))`;

/** What a server logs all day. */
const ROUTINE =
  'event!~"connection_(received|authenticated|authorized|ready)|disconnection|replication_authorized|configuration_reload"';

const causesInWords = [
  '| cause | what happened | what to do first |',
  '|---|---|---|',
  ...Object.entries(CAUSES).map(
    ([name, { color, meaning, action }]) =>
      `| <span style="color: ${color}">&#9632;</span> \`${name}\` | ${meaning} | ${action} |`,
  ),
].join('\n');

export const drops = dashboard({
  name: 'drops',
  title: 'Connection drops',
  question: 'What drops connections, and why?',
  rows: [
    {
      title: 'In this time range',
      panels: [
        tile({
          title: 'All at once',
          description:
            'Incidents in which all held connections of a target were lost together: the server, the pooler or the ' +
            'whole path. When red, the cause below says which; the users of the database noticed it.',
          unit: 'short',
          decimals: 0,
          expr: incidentsOf('all'),
          steps: any(),
        }),
        tile({
          title: 'Only idle ones',
          description:
            'Incidents in which only connections were lost that had been idle for a long time, while others answered: ' +
            'something on the path forgets them. When orange, compare the keepalives with the idle limit of the path ' +
            'below.',
          unit: 'short',
          decimals: 0,
          expr: incidentsOf('idle_only'),
          steps: any(WATCH),
        }),
        tile({
          title: 'Single ones',
          description:
            'Incidents in which one connection was lost, or some without a pattern. When orange, look at the cause ' +
            'and the SQLSTATE below.',
          unit: 'short',
          decimals: 0,
          expr: incidentsOf('one'),
          steps: any(WATCH),
        }),
        tile({
          title: 'Last drop',
          description: 'When a held connection was last lost, on any of the chosen targets.',
          unit: 'dateTimeFromNow',
          expr: `1000 * max(pgconn_last_drop_timestamp_seconds{${T}})`,
          steps: informs,
          noValue: 'none seen',
        }),
        tile({
          title: 'Sessions ended badly',
          description:
            'Sessions of all clients that were abandoned by them, ended by a fatal error or killed (PostgreSQL 14 and ' +
            'later); those of the exporter count too. When orange, the graphs below show how and in which database.',
          unit: 'short',
          decimals: 0,
          expr: `sum(increase(pgconn_sessions_ended_total{${T}}[$__range])) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Connections held',
          description: 'Connections that the probes hold open to see drops. Without any, no drop can be seen.',
          unit: 'short',
          expr: `sum(pgconn_held_connections{${T}}) or vector(0)`,
          steps: [
            [null, 'red'],
            [1, 'text'],
          ],
          link: to('exporter', 'Exporter'),
        }),
      ],
    },
    {
      title: 'Why',
      panels: [
        events({
          title: 'Incidents by cause',
          description:
            'When connections were dropped and why; drops that belong together count once. What each cause means and ' +
            'what to do first is at the end of this page.',
          unit: 'short',
          series: [[happened('pgconn_drop_incidents_total', 'cause'), '{{cause}}']],
          colors: causeColors,
          noValue: 'No connection was dropped in this time range',
          span: 16,
          height: 9,
        }),
        list({
          title: 'Last drop by cause',
          description:
            'When each target last lost a connection to a cause, newest first. Compare the moment with the log of ' +
            'the server and with changes around it.',
          span: 8,
          height: 9,
          noValue: 'No connection was dropped since the exporters started',
          order: 'When',
          columns: [
            {
              title: 'When',
              expr: `1000 * max by (${TARGET}, cause) (pgconn_last_drop_timestamp_seconds{${T}})`,
              unit: 'dateTimeAsIso',
              width: 170,
            },
            {
              title: 'Target',
              label: 'target',
              links: [toTargetOfRow('drops', 'Only ${__data.fields.Target}')],
            },
            {
              title: 'Cause',
              label: 'cause',
            },
          ],
        }),
        events({
          title: 'Incidents by scope',
          description:
            'How many of the held connections were lost together: all, only those that had been idle longest, some ' +
            'without that pattern, or one. All points to the server or the whole path, only idle ones to a device ' +
            'that forgets.',
          unit: 'short',
          series: [[happened('pgconn_drop_incidents_total', 'scope'), '{{scope}}']],
          colors: SCOPES,
          noValue: 'No connection was dropped in this time range',
        }),
        events({
          title: 'Connections lost by probe and SQLSTATE',
          description:
            'Every lost connection by the probe that held it and what the server said last; no SQLSTATE means that it ' +
            'said nothing. The first loss of a kind that the exporter does not expect is not counted here; the ' +
            'incidents have it.',
          unit: 'short',
          series: [
            [happened('pgconn_connection_drops_total', 'probe, cause, sqlstate'), '{{probe}} {{cause}} {{sqlstate}}'],
          ],
          colorsOfWords: causeColors,
          noValue: 'No connection was lost in this time range',
        }),
      ],
    },
    {
      title: 'Sessions of all clients',
      panels: [
        events({
          title: 'Sessions that did not end normally',
          description:
            'Abandoned: the client vanished, often a network or a crashed application. Fatal: an error ended the ' +
            'session. Killed: an operator ended it. Compare with the incidents above: sessions lost at the same time ' +
            'have one cause.',
          unit: 'short',
          series: [[happened('pgconn_sessions_ended_total', 'reason'), '{{reason}}']],
          colors: ENDS,
          noValue: 'All sessions ended normally',
        }),
        graph({
          title: 'Share of sessions lost',
          description:
            'Sessions that did not end normally, as a share of those established in the same time. A rise without ' +
            'more connections is a problem; with more connections it may be a deployment.',
          unit: 'percentunit',
          max: 1,
          series: [
            [
              `sum by (${TARGET}) (rate(pgconn_sessions_ended_total{${T}}[$__rate_interval]))
                / (sum by (${TARGET}) (rate(pgconn_sessions_established_total{${T}}[$__rate_interval])) > 0)`,
              '{{target}}',
            ],
          ],
        }),
        list({
          title: 'Lost sessions by database',
          description: 'Which database loses sessions, and how, in this time range. Start with the largest number.',
          span: 24,
          height: 7,
          filterable: true,
          order: 'Lost',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            {
              title: 'Lost',
              expr: `sum by (${TARGET}, database) (increase(pgconn_sessions_ended_total{${T}}[$__range]))`,
              decimals: 0,
              steps: any(WATCH),
            },
            ...Object.keys(ENDS).map((reason) => ({
              title: reason[0].toUpperCase() + reason.slice(1),
              expr: `sum by (${TARGET}, database)
                (increase(pgconn_sessions_ended_total{${T}, reason="${reason}"}[$__range]))`,
              decimals: 0,
            })),
            {
              title: 'Established',
              expr: `sum by (${TARGET}, database) (increase(pgconn_sessions_established_total{${T}}[$__range]))`,
              decimals: 0,
            },
          ],
        }),
      ],
    },
    {
      title: 'What the server’s log and its host say',
      panels: [
        events({
          title: 'Events in the server’s log',
          description:
            'What the log of the server says about connections, without what it says all day. Targets with server_log ' +
            'only. Compare with the incidents above: entries of the same moment say who did it.',
          unit: 'short',
          series: [
            [
              `sum by (event) (increase(pgconn_log_events_total{${T}, ${ROUTINE}}[$__rate_interval]))
                ${everRose('pgconn_log_events_total', 'event', `, ${ROUTINE}`)}`,
              '{{event}}',
            ],
          ],
          colors: LOG_EVENTS,
          noValue: 'Nothing in this time range, or no target has server_log',
          span: 16,
        }),
        events({
          title: 'Refused logins by reason',
          description:
            'Logins of all clients that the server refused, by its own log. A rise is an application with a wrong ' +
            'password, role or address, or somebody who guesses; no_slot means that the server is full.',
          unit: 'short',
          series: [[happened('pgconn_log_refused_logins_total', 'reason'), '{{reason}}']],
          colors: REFUSALS,
          noValue: 'No login was refused, or no target has server_log',
          span: 8,
        }),
        events({
          title: 'Processes killed for lack of memory',
          description:
            'Kills by the kernel, on the whole host and of these in the cgroup of the server. Targets with host: true ' +
            'only. A kill of the server ends all its sessions: see the findings about memory.',
          unit: 'short',
          stacked: false,
          series: [[`sum by (scope) (increase(pgconn_host_oom_kills_total{${T}}[$__rate_interval]))`, '{{scope}}']],
          colors: KILLS,
          noValue: 'No target has host: true',
          span: 24,
          height: 6,
        }),
      ],
    },
    {
      title: 'Idle time: what the path allows',
      panels: [
        list({
          title: 'Idle limit of the path against keepalives',
          description:
            'The longest idle time that connections survived, the shortest that they did not, and the longest that ' +
            'the server’s keepalives allow. Keepalives must come before the path forgets: lower tcp_keepalives_idle ' +
            'and _interval.',
          order: 'Target',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Survived', expr: `max by (${TARGET}) (pgconn_idle_survived_seconds{${T}})`, unit: CLOCK },
            {
              title: 'Dropped',
              expr: `min by (${TARGET}) (pgconn_idle_dropped_seconds{${T}})`,
              unit: CLOCK,
              steps: [[null, 'purple']],
            },
            {
              title: 'Path allows',
              expr: `min by (${TARGET}) (pgconn_path_idle_limit_seconds{${T}})`,
              unit: CLOCK,
            },
            { title: 'Keepalive within', expr: keepaliveSilence, unit: CLOCK },
            {
              title: 'In time',
              expr: `${keepaliveSilence}
                < bool min by (${TARGET}) (pgconn_path_idle_limit_seconds{${T}})`,
              mappings: [words({ 0: { text: 'too late', color: 'orange' }, 1: { text: 'yes', color: 'transparent' } })],
            },
          ],
        }),
        list({
          title: 'Idle ladder',
          description:
            'Idle times that the canary connections tried in this time range, and how they ended. Drops from a ' +
            'certain rung on mean that the path forgets connections between that rung and the one before.',
          order: 'Idle time',
          ascending: true,
          columns: [
            { title: 'Idle time', label: 'rung', unit: CLOCK },
            { title: 'Survived', expr: resultsOf('survived'), decimals: 0 },
            { title: 'Dropped', expr: resultsOf('dropped'), decimals: 0, steps: any('purple') },
            { title: 'Inconclusive', expr: resultsOf('inconclusive'), decimals: 0 },
          ],
        }),
        graph({
          title: 'Idle times over time',
          description:
            'The idle limit of the path, dashed, lies where survived and dropped come close to each other. A falling ' +
            'limit means that a device on the path was changed.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          span: 24,
          series: [
            [`max by (${TARGET}) (pgconn_idle_survived_seconds{${T}})`, '{{target}} survived'],
            [`min by (${TARGET}) (pgconn_idle_dropped_seconds{${T}})`, '{{target}} dropped'],
            [`min by (${TARGET}, source) (pgconn_path_idle_limit_seconds{${T}})`, '{{target}} limit, {{source}}'],
          ],
          colorsOfWords: RESULTS,
          limits: ['/ limit, /'],
        }),
        events({
          title: 'Idle times tried',
          description: 'How the idle times that the canaries tried ended, over time.',
          unit: 'short',
          span: 24,
          height: 6,
          series: [[happened('pgconn_idle_canary_results_total', 'result'), '{{result}}']],
          colors: RESULTS,
          noValue: 'No idle time was tried to its end in this time range',
        }),
      ],
    },
    {
      title: 'What the causes mean',
      panels: [note('Causes', causesInWords, 15)],
    },
  ],
});
