import { dashboard } from './dashboard.ts';
import { LIMIT_WATCHED_FROM, SLOTS_PREDICTION_SECONDS, SLOTS_RATIO } from './limits.ts';
import { graph, tile } from './panels.ts';
import { T, TARGET } from './selectors.ts';
import { list } from './tables.ts';
import { CLOCK, CLOCK_SOFT_MAX, NONE, STATES, above, any } from './theme.ts';

const used = `max by (${TARGET}) (pgconn_connection_slots_used{${T}})`;
const usable = `max by (${TARGET}) (pgconn_connection_slots{${T}, kind="usable"})`;
const ofLimit = (thing: string) =>
  `max by (${TARGET}, ${thing}) (pgconn_${thing}_connections{${T}, ${thing}!="other"})
    / (max by (${TARGET}, ${thing}) (pgconn_${thing}_connection_limit{${T}}) >= ${LIMIT_WATCHED_FROM})`;
const established = (by: string) => `sum by (${by}) (rate(pgconn_sessions_established_total{${T}}[$__rate_interval]))`;
const sessionSeconds = (by: string, kind: string) =>
  `sum by (${by}) (rate(pgconn_session_seconds_total{${T}, kind="${kind}"}[$__rate_interval]))`;

const limitTable = (thing: 'role' | 'database', title: string, advice: string) =>
  list({
    title,
    description:
      'Sessions against the CONNECTION LIMIT, the fullest first; most have no limit, and limits below ' +
      `${LIMIT_WATCHED_FROM} are there to be reached. ${advice}`,
    filterable: true,
    order: 'Of its limit',
    columns: [
      { title: 'Target', label: 'target' },
      { title: thing === 'role' ? 'Role' : 'Database', label: thing },
      {
        title: 'Sessions',
        expr: `max by (${TARGET}, ${thing}) (pgconn_${thing}_connections{${T}})`,
        decimals: 0,
        width: 100,
      },
      {
        title: 'Limit',
        expr: `max by (${TARGET}, ${thing}) (pgconn_${thing}_connection_limit{${T}})`,
        decimals: 0,
        width: 100,
      },
      {
        title: 'Of its limit',
        expr: ofLimit(thing),
        unit: 'percentunit',
        decimals: 0,
        steps: above(SLOTS_RATIO),
        width: 130,
      },
    ],
  });

export const capacity = dashboard({
  name: 'capacity',
  title: 'Capacity',
  question: 'How near are the limits, and who uses them up?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Connections refused',
          description:
            'Probes that were refused because all slots were taken (53300) in this time range. When red, ' +
            'applications are refused too: find who holds the slots below.',
          unit: 'short',
          decimals: 0,
          expr: `sum(increase(pgconn_probe_failures_total{${T}, sqlstate="53300"}[$__range])) or vector(0)`,
          steps: any(),
        }),
        tile({
          title: 'Fullest target',
          description:
            'Slots used, of those that any role may use, on the target nearest to its limit. When red, find who ' +
            'holds them below, and put a pooler in front before max_connections is raised.',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(${used} / ${usable})`,
          steps: above(SLOTS_RATIO),
        }),
        tile({
          title: 'Fewest free slots',
          description:
            'Slots that any role may still take, on the target with the fewest. When red, a burst would be refused.',
          unit: 'short',
          expr: `min(${usable} - ${used})`,
          steps: [
            [null, 'red'],
            [3, 'orange'],
            [10, 'green'],
          ],
        }),
        tile({
          title: 'Fullest in two hours',
          description:
            'Slots used in two hours if the trend of the last hour continues; 100 % is full or more. When red, there ' +
            'is time to act before connections are refused: look for what grows below.',
          unit: 'percentunit',
          decimals: 0,
          expr: `clamp(max(predict_linear(pgconn_connection_slots_used{${T}}[1h], ${SLOTS_PREDICTION_SECONDS})
            / ignoring (kind) pgconn_connection_slots{${T}, kind="usable"}), 0, 1)`,
          steps: above({ watch: 0.95, act: 1 }),
        }),
        tile({
          title: 'Role nearest its limit',
          description:
            'Sessions of a role as a fraction of its CONNECTION LIMIT. When red, that role is about to be refused: ' +
            'ALTER ROLE … CONNECTION LIMIT, or a smaller pool.',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(${ofLimit('role')})`,
          steps: above(SLOTS_RATIO),
          noValue: 'no limits set',
        }),
        tile({
          title: 'Database nearest its limit',
          description:
            'Sessions of a database as a fraction of its CONNECTION LIMIT. When red, its clients are about to be ' +
            'refused: ALTER DATABASE … CONNECTION LIMIT, or smaller pools.',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(${ofLimit('database')})`,
          steps: above(SLOTS_RATIO),
          noValue: 'no limits set',
        }),
      ],
    },
    {
      title: 'Slots',
      panels: [
        graph({
          title: 'Slots used, of those usable',
          description:
            'By target. Slots set aside for superusers and for reserved roles are not usable by applications. Above ' +
            'the red line, new connections are about to be refused.',
          unit: 'percentunit',
          max: 1,
          series: [[`${used} / ${usable}`, '{{target}}']],
          steps: above(SLOTS_RATIO, NONE),
        }),
        graph({
          title: 'Slots',
          description: 'Slots used, by target, and usable, dashed. Where the two meet, connections are refused.',
          unit: 'short',
          decimals: 0,
          series: [
            [used, '{{target}}'],
            [usable, '{{target}} usable'],
          ],
          limits: ['/ usable$/'],
        }),
      ],
    },
    {
      title: 'Who holds the slots',
      panels: [
        graph({
          title: 'Sessions by state',
          description:
            'What sessions do, over all chosen targets. Many idle ones need a smaller or shared pool, many active ' +
            'ones need faster statements.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (state) (pgconn_sessions{${T}})`, '{{state}}']],
          colors: STATES,
        }),
        graph({
          title: 'Sessions by user',
          description: 'The ten users with the most sessions. A user whose sessions keep growing leaks connections.',
          unit: 'short',
          decimals: 0,
          series: [[`topk(10, sum by (user) (pgconn_sessions{${T}, user!=""}))`, '{{user}}']],
          legend: 'table',
        }),
        limitTable('role', 'Roles', 'When red, that role is about to be refused.'),
        limitTable('database', 'Databases', 'When red, clients of that database are about to be refused.'),
        list({
          title: 'Sessions by application',
          description:
            'Who holds how many sessions, and how long the longest-idle of them has done nothing. Large numbers that ' +
            'are idle for a long time are a pool that is too big.',
          filterable: true,
          height: 9,
          order: 'Sessions',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            { title: 'Application', label: 'application' },
            {
              title: 'Sessions',
              expr: `sum by (${TARGET}, database, user, application) (pgconn_sessions{${T}} > 0)`,
              decimals: 0,
              width: 120,
            },
            {
              title: 'Longest idle',
              expr: `max by (${TARGET}, database, user, application)
                (pgconn_session_state_oldest_seconds{${T}, state="idle"})`,
              unit: CLOCK,
              width: 120,
            },
          ],
        }),
        list({
          title: 'Sessions by client',
          description:
            'Client addresses with the most sessions, where the exporter is configured to report them ' +
            '(sessions.by_client). One host with far more than similar hosts leaks connections.',
          noValue: 'The exporter is not configured to report clients',
          filterable: true,
          height: 9,
          order: 'Sessions',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Client', label: 'client' },
            {
              title: 'Sessions',
              expr: `max by (${TARGET}, client) (pgconn_sessions_by_client{${T}})`,
              decimals: 0,
              width: 120,
            },
          ],
        }),
      ],
    },
    {
      title: 'Churn',
      panels: [
        graph({
          title: 'Sessions established',
          description:
            'New sessions per second, by target (PostgreSQL 14 and later). Each costs a process and a handshake: many ' +
            'per second need a pool.',
          unit: 'cps',
          series: [[established(TARGET), '{{target}}']],
        }),
        graph({
          title: 'Mean length of a session',
          description:
            'Total time of sessions divided by their number, by target. Seconds rather than minutes mean that ' +
            'something connects for each piece of work: give it a pool.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          series: [[`${sessionSeconds(TARGET, 'session')} / (${established(TARGET)} > 0)`, '{{target}}']],
        }),
        graph({
          title: 'Share of session time that is active',
          description:
            'Time spent working, as a share of all session time, by target. A few percent mean that a pool could ' +
            'share the slots among many more clients.',
          unit: 'percentunit',
          max: 1,
          series: [[`${sessionSeconds(TARGET, 'active')} / (${sessionSeconds(TARGET, 'session')} > 0)`, '{{target}}']],
        }),
        graph({
          title: 'Oldest session',
          description:
            'By target. A sawtooth with peaks of equal height shows the maximum lifetime of a pool. A session much ' +
            'older than that belongs to no pool.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          series: [[`max by (${TARGET}) (pgconn_session_oldest_seconds{${T}})`, '{{target}}']],
        }),
      ],
    },
  ],
});
