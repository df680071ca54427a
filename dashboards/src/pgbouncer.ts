import { dashboard } from './dashboard.ts';
import { POOL_WAIT_SECONDS, POOLER_CLIENTS_RATIO } from './limits.ts';
import { events, graph, spread, tile } from './panels.ts';
import { T, TARGET, happened } from './selectors.ts';
import { list } from './tables.ts';
import { NONE, POOL_CLIENTS, POOL_SERVERS, above, any, informs } from './theme.ts';

const POOL = `${TARGET}, database, user`;
const wait = `max by (${POOL}) (pgconn_pgbouncer_pool_wait_max_seconds{${T}} or pgconn_pgbouncer_pool_wait_seconds{${T}})`;
const clients = `max by (${TARGET}) (pgconn_pgbouncer_clients{${T}})`;
const clientsMax = `max by (${TARGET}) (pgconn_pgbouncer_clients_max{${T}})`;
const rate = (name: string, by: string) =>
  `sum by (${by}) (rate(pgconn_pgbouncer_${name}_total{${T}}[$__rate_interval]))`;
const clientsIn = (state: string) => `sum by (${POOL}) (pgconn_pgbouncer_pool_clients{${T}, state="${state}"})`;
const serversIn = (states: string) => `sum by (${POOL}) (pgconn_pgbouncer_pool_servers{${T}, state=~"${states}"})`;

export const pgbouncer = dashboard({
  name: 'pgbouncer',
  title: 'PgBouncer',
  question: 'Do clients wait for a server, and how full is the pooler?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Longest wait now',
          description:
            'How long a client has waited for a server since the last scrape, in the pool where that was longest. When ' +
            'red, see below whether its servers are busy, idle in transactions, or cannot be reached.',
          unit: 's',
          expr: `max(${wait})`,
          steps: above(POOL_WAIT_SECONDS),
          noValue: 'no pools',
        }),
        tile({
          title: 'Waiting clients',
          description: 'Clients that wait for a server now. When red, find their pools below.',
          unit: 'short',
          decimals: 0,
          expr: `sum(pgconn_pgbouncer_pool_clients{${T}, state="waiting"})`,
          steps: any(),
          noValue: 'no pools',
        }),
        tile({
          title: 'Fullest pooler',
          description:
            'Clients, of max_client_conn, on the pooler nearest to it. When red, new clients are about to be refused: ' +
            'find whose they are, then raise max_client_conn and the limit of open files.',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(${clients} / ${clientsMax})`,
          steps: above(POOLER_CLIENTS_RATIO),
          noValue: 'no pooler',
        }),
        tile({
          title: 'Paused databases',
          description: 'Databases that somebody has paused: their clients wait. When red and unplanned: RESUME.',
          unit: 'short',
          decimals: 0,
          expr: `sum(pgconn_pgbouncer_database_paused{${T}})`,
          steps: any(),
          noValue: 'no pooler',
        }),
        tile({
          title: 'Connections to servers',
          description: 'What the poolers hold of the slots of their servers. It only informs: compare with Capacity.',
          unit: 'short',
          decimals: 0,
          expr: `sum(pgconn_pgbouncer_servers{${T}})`,
          steps: informs,
          noValue: 'no pooler',
        }),
        tile({
          title: 'Restarts',
          description: 'Restarts of poolers in this time range. When red, all their clients were disconnected.',
          unit: 'short',
          decimals: 0,
          expr: `sum(increase(pgconn_pgbouncer_restarts_total{${T}}[$__range]))`,
          steps: any(),
          noValue: 'no pooler',
        }),
      ],
    },
    {
      title: 'Who waits',
      panels: [
        graph({
          title: 'Longest wait',
          description:
            'By pool, sampled four times a second, the longest of each scrape. Above the red line, applications feel ' +
            'it: make queries and transactions shorter, or the pool larger.',
          unit: 's',
          series: [[wait, '{{target}} {{database}} {{user}}']],
          steps: above(POOL_WAIT_SECONDS, NONE),
        }),
        spread({
          title: 'Waits sampled',
          description:
            'How long the first client of each queue had waited, of all samples. Dark high cells are long queues; ' +
            'everything in the lowest row is no queue at all.',
          unit: 's',
          expr: `sum by (le) (increase(pgconn_pgbouncer_pool_wait_sampled_seconds_bucket{${T}}[$__rate_interval]))`,
        }),
        graph({
          title: 'Time spent waiting',
          description:
            'Seconds that clients waited per second, by target and database: 2 means that on average two clients ' +
            'wait. It should be near 0.',
          unit: 'short',
          series: [[rate('client_wait_seconds', `${TARGET}, database`), '{{target}} {{database}}']],
        }),
        graph({
          title: 'Clients by state',
          description: 'Over all pools. Waiting ones have a query and no server: see which pool below.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (state) (pgconn_pgbouncer_pool_clients{${T}})`, '{{state}}']],
          colors: POOL_CLIENTS,
        }),
        list({
          title: 'Pools',
          description:
            'Each pool, the one with the longest wait first. All servers active and clients waiting: the pool is too ' +
            'small, or transactions are too long. Clients waiting and no server active: the server cannot be reached.',
          filterable: true,
          height: 9,
          order: 'Longest wait',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            { title: 'Clients', expr: clientsIn('active'), decimals: 0, width: 100 },
            { title: 'Waiting', expr: clientsIn('waiting'), decimals: 0, steps: any(), width: 100 },
            { title: 'Servers active', expr: serversIn('active'), decimals: 0, width: 120 },
            { title: 'Servers idle', expr: serversIn('idle|used'), decimals: 0, width: 120 },
            { title: 'Longest wait', expr: wait, unit: 's', steps: above(POOL_WAIT_SECONDS), width: 130 },
          ],
        }),
      ],
    },
    {
      title: 'How full',
      panels: [
        graph({
          title: 'Clients',
          description: 'By target, and max_client_conn, dashed. Where the two meet, new clients are refused.',
          unit: 'short',
          decimals: 0,
          series: [
            [clients, '{{target}}'],
            [clientsMax, '{{target}} max'],
          ],
          limits: ['/ max$/'],
        }),
        graph({
          title: 'Clients by database',
          description: 'The ten databases with the most clients. One that keeps growing leaks connections.',
          unit: 'short',
          decimals: 0,
          series: [[`topk(10, sum by (database) (pgconn_pgbouncer_pool_clients{${T}}))`, '{{database}}']],
          legend: 'table',
        }),
        graph({
          title: 'Servers by state',
          description:
            'Connections of all pools to their servers. All active means that clients queue; many that log in mean ' +
            'that connections do not last.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (state) (pgconn_pgbouncer_pool_servers{${T}})`, '{{state}}']],
          colors: POOL_SERVERS,
        }),
        graph({
          title: 'Transactions',
          description: 'Per second, by target and database. When it falls while clients wait, servers are held.',
          unit: 'ops',
          series: [[rate('transactions', `${TARGET}, database`), '{{target}} {{database}}']],
        }),
      ],
    },
    {
      title: 'The pooler itself',
      panels: [
        events({
          title: 'Restarts of poolers',
          description: 'Each disconnects all clients of a pooler. Unplanned ones need its log.',
          unit: 'short',
          series: [[happened('pgconn_pgbouncer_restarts_total', TARGET), '{{target}}']],
          span: 12,
          noValue: 'No restarts in this time range',
        }),
        list({
          title: 'Findings',
          description: 'What is set wrongly in poolers; `pgconn_exporter list findings` says why, and what to write.',
          height: 8,
          span: 12,
          order: 'Found',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Finding', label: 'finding' },
            {
              title: 'Found',
              expr: `max by (${TARGET}, finding) (pgconn_finding{${T}, subject="pgbouncer"})`,
              decimals: 0,
              width: 100,
            },
          ],
        }),
      ],
    },
  ],
});
