import { dashboard } from './dashboard.ts';
import { CONNECT_SECONDS, PROBE_FAILURE_BUDGET } from './limits.ts';
import { events, graph, spread, tile, timeline, upTo, words } from './panels.ts';
import { FAULTS, byTarget, happened, T, TARGET } from './selectors.ts';
import { list } from './tables.ts';
import { ACT, FINE, NONE, PHASES, PURPOSES, REASONS, RESULTS, above, any, SOCKETS } from './theme.ts';

/** The two that measure whether clients can work; what our own configuration prevents is no failure of a server. */
const OBJECTIVE = `${T}, probe=~"connect|roundtrip"`;
const failed = (by: string, range: string) =>
  `sum by (${by}) (increase(pgconn_probe_failures_total{${OBJECTIVE}, reason!~"budget|config"}[${range}]))`;
const attempted = (by: string, range: string) =>
  `sum by (${by}) (increase(pgconn_probe_attempts_total{${OBJECTIVE}}[${range}]))`;
/** A probe without expected failures has series of failures only from the first one on. */
const failedShare = (by: string, range: string) =>
  `(${failed(by, range)} or 0 * ${attempted(by, range)}) / (${attempted(by, range)} > 0)`;

const mean = (by: string, runs: string) =>
  `sum by (${by}) (rate(pgconn_probe_duration_seconds_sum{${T}, ${runs}}[$__rate_interval]))
    / (sum by (${by}) (rate(pgconn_probe_duration_seconds_count{${T}, ${runs}}[$__rate_interval])) > 0)`;

const connects = `${T}, probe="connect", phase="total"`;
const quantile = (q: number, by: string, range: string) =>
  `histogram_quantile(${q}, sum by (${by}) (rate(pgconn_probe_duration_seconds_bucket{${connects}}[${range}])))`;

export const probes = dashboard({
  name: 'probes',
  title: 'Probes',
  question: 'How long does a connection take, and how often does it fail?',
  rows: [
    {
      title: 'In this time range',
      panels: [
        tile({
          title: 'Failing now',
          description:
            'Probes whose last run failed; the canaries of idle do so on purpose and do not count. When red, the ' +
            'table of failures shows the phase and the server’s error.',
          unit: 'short',
          expr: `count(pgconn_probe_success{${T}, ${FAULTS}} == 0) or vector(0)`,
          steps: any(),
        }),
        tile({
          title: 'Runs that passed',
          description:
            'Of connects and round trips, on the target with the most failures. Below 99.9 %, the objective is missed ' +
            'in this time range: see the failures below.',
          unit: 'percentunit',
          decimals: 2,
          expr: `1 - max(${failedShare(TARGET, '$__range')})`,
          steps: [
            [null, ACT],
            [1 - 10 * PROBE_FAILURE_BUDGET, 'orange'],
            [1 - PROBE_FAILURE_BUDGET, FINE],
          ],
        }),
        tile({
          title: 'Budget left',
          description:
            'What is left of the failures that 99.9 % allow in this time range, on the target with the most failures. ' +
            'When red, it is below zero: postpone risky changes until the cause is found.',
          unit: 'percentunit',
          decimals: 0,
          expr: `1 - max(${failedShare(TARGET, '$__range')}) / ${PROBE_FAILURE_BUDGET}`,
          steps: [
            [null, ACT],
            [0, 'orange'],
            [0.5, FINE],
          ],
          mappings: [upTo(0, 'used up', ACT)],
        }),
        tile({
          title: 'Connect, median',
          description:
            'Half of the fresh connections were ready within this time, on the slowest target. When orange, see which ' +
            'phase takes the time.',
          unit: 's',
          expr: `max(${quantile(0.5, `${TARGET}, le`, '$__range')})`,
          steps: above(CONNECT_SECONDS),
          noValue: 'no probe',
        }),
        tile({
          title: 'Connect, 99th percentile',
          description:
            'One of a hundred fresh connections took longer, on the slowest target. When orange while the median ' +
            'is not, look for bursts: backups, checkpoints, a full host.',
          unit: 's',
          expr: `max(${quantile(0.99, `${TARGET}, le`, '$__range')})`,
          steps: above(CONNECT_SECONDS),
          noValue: 'no probe',
        }),
        tile({
          title: 'Round trip',
          description:
            'The slowest last answer to SELECT 1 on a held connection. When orange while connecting is quick, the ' +
            'server is busy rather than far away.',
          unit: 's',
          expr: `max(pgconn_probe_last_duration_seconds{${T}, probe="roundtrip", phase="query"})`,
          steps: above(CONNECT_SECONDS),
          noValue: 'no probe',
        }),
      ],
    },
    {
      title: 'Failures',
      panels: [
        timeline({
          title: 'Probes',
          description:
            'The result of each probe over time. Red on all probes of a target is the server or the whole path. ' +
            'Violet is a canary of idle that did not pass: some are there to find the idle time that they do not ' +
            'survive.',
          series: [
            [
              byTarget(`min by (${TARGET}, probe)
                (pgconn_probe_success{${T}, ${FAULTS}} or 2 + pgconn_probe_success{${T}, probe="idle"})`),
              '{{target}} {{probe}}',
            ],
          ],
          mappings: [
            words({
              0: { text: 'failed', color: ACT },
              1: { text: 'passed', color: FINE },
              2: { text: 'not passed', color: RESULTS.dropped },
              3: { text: 'passed', color: FINE },
            }),
          ],
          steps: [
            [null, ACT],
            [1, FINE],
          ],
          span: 24,
          height: 12,
          noValue: 'No probe runs',
        }),
        events({
          title: 'Failures by reason',
          description:
            'Failed runs over time. When there are many, the table beside it shows the phase: resolve is the name ' +
            'service, tcp the path, tls the certificates, startup the login, query the server.',
          unit: 'short',
          series: [[happened('pgconn_probe_failures_total', 'reason'), '{{reason}}']],
          colors: REASONS,
          noValue: 'No probe failed in this time range',
        }),
        list({
          title: 'Failures by phase, reason and SQLSTATE',
          description:
            'Failed runs in this time range, the most frequent first; the first failure of a kind that the exporter ' +
            'does not expect is not counted. SQLSTATE 28 is the login, 53300 full slots, 57P03 a server that starts ' +
            'or stops.',
          filterable: true,
          noValue: 'No probe failed in this time range',
          order: 'Failures',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Probe', label: 'probe', width: 100 },
            { title: 'Phase', label: 'phase', width: 90 },
            { title: 'Reason', label: 'reason', width: 190 },
            { title: 'SQLSTATE', label: 'sqlstate', width: 110 },
            {
              title: 'Failures',
              expr: `sum by (${TARGET}, probe, phase, reason, sqlstate)
                (increase(pgconn_probe_failures_total{${T}}[$__range])) > 0`,
              decimals: 0,
              width: 110,
            },
          ],
        }),
        graph({
          title: 'Share of runs that failed',
          description:
            'Of connects and round trips, by target. Above the dashed line, the budget of 99.9 % is used up faster ' +
            'than it grows.',
          unit: 'percentunit',
          series: [[failedShare(TARGET, '$__rate_interval'), '{{target}}']],
          steps: [
            [null, NONE],
            [PROBE_FAILURE_BUDGET, 'orange'],
          ],
          softMax: 0.01,
        }),
        graph({
          title: 'Runs',
          description: 'Runs of probes per second. A probe that no longer runs sees nothing: check its configuration.',
          unit: 'ops',
          series: [[`sum by (probe) (rate(pgconn_probe_attempts_total{${T}}[$__rate_interval]))`, '{{probe}}']],
          colors: PURPOSES,
        }),
      ],
    },
    {
      title: 'Where the time goes',
      panels: [
        graph({
          title: 'Connecting, by phase',
          description:
            'Mean time of each phase of a fresh connection, on all chosen targets. Growing tcp is the path, tls ' +
            'the CPU of either side, startup the authentication or a server that is slow to start processes.',
          unit: 's',
          stacked: true,
          series: [[mean('phase', 'probe="connect", phase!="total"'), '{{phase}}']],
          colors: PHASES,
        }),
        spread({
          title: 'Connecting, spread',
          description:
            'How many fresh connections took how long. Two bands mean two kinds of connections, such as two ' +
            'addresses of one name; single high cells are bursts.',
          unit: 's',
          expr: `sum by (le) (increase(pgconn_probe_duration_seconds_bucket{${connects}}[$__rate_interval]))`,
        }),
        graph({
          title: 'Connecting, direct and pooled',
          description:
            'Ninety-five of a hundred fresh connections were ready within this time, by target and its kind. A ' +
            'pooler should be quicker than its server; where it is not, its pool is full.',
          unit: 's',
          series: [
            [
              // A target that is no server shows that after its name.
              `label_replace(label_replace(label_join(${quantile(0.95, `${TARGET}, le`, '$__rate_interval')}
                * on (${TARGET}) group_left (kind) group by (${TARGET}, kind) (pgconn_target_info{${T}}),
                "named", "/", "target", "kind"),
                "named", "$1 ($2)", "named", "(.*)/(.*)"), "named", "$1", "named", "(.*) .postgres.")`,
              '{{named}}',
            ],
          ],
          steps: above(CONNECT_SECONDS, NONE),
        }),
        graph({
          title: 'Round trip on a held connection',
          description:
            'Mean time of SELECT 1, by target. It needs no login and no new process: when it grows, the server or ' +
            'the path is slow for everybody.',
          unit: 's',
          series: [[mean(TARGET, 'probe="roundtrip", phase="query"'), '{{target}}']],
        }),
      ],
    },
    {
      title: 'What the host of the server sees',
      panels: [
        graph({
          title: 'Sockets of the server’s port by state',
          description:
            'TCP sockets of the port of each server, as its own kernel lists them. Targets with host: true only. Many in ' +
            'close_wait: a process of the server does not notice that its client left; many in syn_recv: logins are ' +
            'begun and not finished.',
          unit: 'short',
          stacked: true,
          series: [[`sum by (state) (pgconn_host_tcp_connections{${T}}) > 0`, '{{state}}']],
          colors: SOCKETS,
          noValue: 'No target has host: true',
        }),
        graph({
          title: 'Segments sent again',
          description:
            'Retransmissions per second on the connections of each server, of all clients: packets get lost. Above a ' +
            'few for a thousand that are sent, users notice; look at the path of the clients.',
          unit: 'cps',
          series: [
            [`sum by (${TARGET}) (rate(pgconn_host_tcp_retransmits_total{${T}}[$__rate_interval]))`, '{{target}}'],
          ],
          noValue: 'No target has host: true',
        }),
        graph({
          title: 'Round trip to the clients',
          description:
            'Ninety-five of a hundred connections with traffic had a smoothed round trip, as the kernel of the server ' +
            'measures it, below this. Growing while the probes do not: the clients are on another path.',
          unit: 's',
          series: [
            [
              `histogram_quantile(0.95, sum by (${TARGET}, le)
                (rate(pgconn_host_tcp_round_trip_seconds_bucket{${T}}[$__rate_interval])))`,
              '{{target}}',
            ],
          ],
          noValue: 'No target has host: true, or no connection had traffic',
        }),
        graph({
          title: 'Connections that wait to be accepted',
          description:
            'How full the accept queue of each server is. At the dashed line connections are dropped, and clients wait ' +
            'for seconds: the postmaster does not get to run, or max_connections is small (it sets the length).',
          unit: 'percentunit',
          series: [
            [
              `max by (${TARGET}) (pgconn_host_tcp_accept_queue{${T}}
                / (pgconn_host_tcp_accept_queue_limit{${T}} + 1))`,
              '{{target}}',
            ],
          ],
          steps: [
            [null, NONE],
            [1, 'red'],
          ],
          noValue: 'No target has host: true',
        }),
      ],
    },
  ],
});
