import { dashboard } from './dashboard.ts';
import { causeColors } from './causes.ts';
import { chainEndsIn, due, dueInWords, standing, standingInCells } from './certificates.ts';
import { IDLE_IN_TRANSACTION_SECONDS, SLOTS_RATIO } from './limits.ts';
import { to, toTargetOfRow } from './links.ts';
import { events, graph, tile, words } from './panels.ts';
import { E, FAULTS, happened, IDLE_IN_TRANSACTION, T, TARGET, blockedByIdle, failingCollectors } from './selectors.ts';
import { list } from './tables.ts';
import { ACT, CLOCK, CLOCK_SOFT_MAX, FINE, NONE, SPAN, WATCH, above, any } from './theme.ts';

const up = `max by (${TARGET}) (pgconn_up{${T}})`;
const probes = `min by (${TARGET}) (pgconn_probe_success{${T}, ${FAULTS}})`;
const incidents = `sum by (${TARGET}) (increase(pgconn_drop_incidents_total{${T}}[$__range]))`;
const oldestIdle = `max by (${TARGET}) (pgconn_session_state_oldest_seconds{${T}, ${IDLE_IN_TRANSACTION}})`;
const behindIdle = `sum by (${TARGET}) (${blockedByIdle})`;
const slots = `max by (${TARGET}) (pgconn_connection_slots_used{${T}})
  / max by (${TARGET}) (pgconn_connection_slots{${T}, kind="usable"})`;
const findings = `count by (${TARGET}) (pgconn_finding{${T}, severity=~"warning|critical"} == 1)`;

/** 0 where the role of the exporter may not see what alerts need, or a collector fails: problems would not be seen. */
const seesAll = `min by (${TARGET}) (pgconn_visibility{${T}, scope=~"sessions|settings"} or ${failingCollectors})`;

/** What makes a target need attention: the conditions under which a cell of its row is coloured. */
const troubles = {
  down: `${up} == 0`,
  blind: `${seesAll} == 0`,
  probe: `${probes} == 0`,
  dropped: `${incidents} >= 0.5`,
  idle: `${oldestIdle} >= ${IDLE_IN_TRANSACTION_SECONDS.watch}`,
  blocked: `${behindIdle} > 0`,
  slots: `${slots} >= ${SLOTS_RATIO.watch}`,
  certificate: `${standing(TARGET)} > 0`,
};

const troubleCount =
  `count by (${TARGET}) (` +
  Object.entries(troubles)
    .map(([name, expr]) => `label_replace(${expr}, "trouble", "${name}", "", "")`)
    .join(' or ') +
  `) or 0 * ${up}`;

export const fleet = dashboard({
  name: 'fleet',
  title: 'Fleet',
  question: 'Which target needs me?',
  rows: [
    {
      title: 'Needs action',
      panels: [
        tile({
          title: 'Exporters not scraped',
          description:
            'Exporters that Prometheus cannot scrape. When red, nothing else here can be trusted for their targets: ' +
            'check whether the exporter runs and its port can be reached.',
          unit: 'short',
          expr: `count(up{${E}} == 0 and on (job) group by (job) (last_over_time(pgconn_exporter_targets{${E}}[1d])))
            or vector(0)`,
          steps: any(),
          link: to('exporter', 'Exporter'),
        }),
        tile({
          title: 'Targets down',
          description:
            'Targets whose collection session got no answer in the last scrape. When red: is the server up, does ' +
            'it take connections, and does it let the role of the exporter in? The table names them.',
          unit: 'short',
          expr: `count(pgconn_up{${T}} == 0) or vector(0)`,
          steps: any(),
          link: to('probes', 'Probes'),
        }),
        tile({
          title: 'Drop incidents',
          description:
            'How often connections that the exporter holds were dropped in this time range; drops that belong ' +
            'together count once. When orange, the dashboard of connection drops says why.',
          unit: 'short',
          decimals: 0,
          expr: `sum(increase(pgconn_drop_incidents_total{${T}}[$__range])) or vector(0)`,
          steps: any(WATCH),
          link: to('drops', 'Connection drops'),
        }),
        tile({
          title: 'Blocked by idle clients',
          description:
            'Sessions that wait for a lock of a session that has long been idle in a transaction: they wait until ' +
            'that client goes on. When red, find its owner on the dashboard of transactions and end the session.',
          unit: 'short',
          expr: `sum(${blockedByIdle}) or vector(0)`,
          steps: any(),
          link: to('transactions', 'Idle in transaction and blocking'),
        }),
        tile({
          title: 'Fullest target',
          description:
            'Connection slots used, of those that any role may use, on the target that is nearest to its limit. When ' +
            'red, new connections will soon be refused: the dashboard of capacity shows who holds them.',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(${slots})`,
          steps: above(SLOTS_RATIO),
          link: to('capacity', 'Capacity'),
        }),
        tile({
          title: 'Certificates to renew',
          description:
            'Whether a certificate of any target expires soon: less than a third of its lifetime and less than three ' +
            'weeks left. When orange, renew it; a reload of the server is enough to use the new one.',
          unit: 'none',
          expr: `max(${due(TARGET)})`,
          steps: [
            [null, FINE],
            [1, WATCH],
            [2, ACT],
          ],
          mappings: dueInWords,
          noValue: 'none seen',
          link: to('tls', 'TLS and certificates'),
        }),
        list({
          title: 'Targets',
          description:
            'One row per target: those that are down, then those with the most problems. A cell is coloured when ' +
            'somebody should act; a click on the target shows what drops its connections. There may be problems that ' +
            'the exporter cannot see (Sees all): see the dashboard of the exporter.',
          span: 24,
          height: 9,
          first: { title: 'Server', ascending: true },
          order: 'Troubles',
          columns: [
            { title: 'Troubles', expr: troubleCount, width: 90, decimals: 0, steps: any(WATCH) },
            {
              title: 'Target',
              label: 'target',
              links: [
                toTargetOfRow('drops', 'Connection drops of ${__data.fields.Target}'),
                toTargetOfRow('transactions', 'Transactions of ${__data.fields.Target}'),
                toTargetOfRow('capacity', 'Capacity of ${__data.fields.Target}'),
              ],
            },
            { title: 'Cluster', label: 'cluster' },
            { title: 'Role', label: 'role', width: 90 },
            { title: 'Version', label: 'server_version', width: 90 },
            {
              title: 'Server',
              expr: up,
              width: 90,
              mappings: [words({ 0: { text: 'down', color: ACT }, 1: { text: 'up', color: NONE } })],
            },
            {
              title: 'Probes',
              expr: probes,
              width: 90,
              mappings: [words({ 0: { text: 'failing', color: ACT }, 1: { text: 'pass', color: NONE } })],
            },
            {
              title: 'Sees all',
              expr: seesAll,
              width: 80,
              mappings: [words({ 0: { text: 'no', color: WATCH }, 1: { text: 'yes', color: NONE } })],
            },
            { title: 'Drop incidents', expr: incidents, decimals: 0, steps: any(WATCH), width: 120 },
            {
              title: 'Idle in transaction',
              expr: oldestIdle,
              unit: CLOCK,
              steps: above(IDLE_IN_TRANSACTION_SECONDS),
              width: 145,
            },
            { title: 'Blocked by it', expr: behindIdle, decimals: 0, steps: any() },
            {
              title: 'Slots used',
              expr: slots,
              unit: 'percentunit',
              decimals: 0,
              steps: above(SLOTS_RATIO),
              width: 100,
            },
            { title: 'Certificate', expr: standing(TARGET), mappings: standingInCells, width: 105 },
            { title: 'Expires in', expr: chainEndsIn(TARGET), unit: SPAN, decimals: 1, width: 130 },
            { title: 'Findings', expr: findings, decimals: 0, width: 90 },
            {
              title: '',
              expr: `max by (${TARGET}, role, server_version) (pgconn_target_info{${T}})`,
            },
          ],
        }),
      ],
    },
    {
      title: 'Over time',
      panels: [
        events({
          title: 'Drop incidents by cause',
          description:
            'When connections were dropped and why, over all chosen targets; drops that belong together count ' +
            'once. Each cause has the same colour everywhere; the dashboard of connection drops says what to do ' +
            'about it.',
          unit: 'short',
          series: [[happened('pgconn_drop_incidents_total', 'cause'), '{{cause}}']],
          colors: causeColors,
          noValue: 'No connection was dropped in this time range',
        }),
        graph({
          title: 'Oldest session idle in transaction',
          description:
            'How long the longest-idle client of each target has left a transaction open. Above the dashed lines, ' +
            'locks and old row versions are held for nothing: see the dashboard of transactions.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          series: [[oldestIdle, '{{target}}']],
          steps: above(IDLE_IN_TRANSACTION_SECONDS, NONE),
          noValue: 'No session was idle in a transaction',
        }),
        graph({
          title: 'Connection slots used',
          description:
            'Slots taken, of those that any role may use. Above the red line, new connections are about to be ' +
            'refused: see the dashboard of capacity.',
          unit: 'percentunit',
          series: [[slots, '{{target}}']],
          steps: above(SLOTS_RATIO, NONE),
          max: 1,
        }),
        graph({
          title: 'Time to connect, 95th percentile',
          description:
            'How long a fresh connection takes until its first answer. When one target rises, the dashboard of ' +
            'probes says in which phase; when all rise, look at what they share.',
          unit: 's',
          series: [
            [
              `histogram_quantile(0.95, sum by (${TARGET}, le)
                (rate(pgconn_probe_duration_seconds_bucket{${T}, probe="connect", phase="total"}[$__rate_interval])))`,
              '{{target}}',
            ],
          ],
        }),
      ],
    },
  ],
});
