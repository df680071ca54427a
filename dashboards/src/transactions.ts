import { dashboard } from './dashboard.ts';
import { IDLE_IN_TRANSACTION_SECONDS, LONG_RUNNING_SECONDS, TIMEOUT_RATIO } from './limits.ts';
import { graph, tile } from './panels.ts';
import { IDLE_IN_TRANSACTION, OWNER, T, TARGET, blockedByIdle, everAbove0, everRose, inOrderOf } from './selectors.ts';
import { list } from './tables.ts';
import { CLOCK, CLOCK_SOFT_MAX, NONE, SPAN, STATES, WAITS, WATCH, above, any } from './theme.ts';

const NOBODY_IDLE = 'No session was idle in a transaction';
const NOBODY_WAITS = 'Nobody waited for a lock';

const idleAge = (by: string) => `max by (${by}) (pgconn_session_state_oldest_seconds{${T}, ${IDLE_IN_TRANSACTION}})`;

export const transactions = dashboard({
  name: 'transactions',
  title: 'Idle in transaction and blocking',
  question: 'Who holds transactions open, who waits behind them, how near is the timeout?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Blocked by idle clients',
          description:
            'Sessions that wait, directly or not, for a lock of a session that has long been idle in a ' +
            'transaction. When red, the table below names the owner: make it commit, or end it with ' +
            'pg_terminate_backend.',
          unit: 'short',
          expr: `sum(${blockedByIdle}) or vector(0)`,
          steps: any(),
        }),
        tile({
          title: 'Oldest idle in transaction',
          description:
            'How long the longest-idle client has left a transaction open. When orange or red, the table below names ' +
            'its application: it waits for something inside a transaction.',
          unit: SPAN,
          expr: `max(pgconn_session_state_oldest_seconds{${T}, ${IDLE_IN_TRANSACTION}}) or vector(0)`,
          steps: above(IDLE_IN_TRANSACTION_SECONDS),
        }),
        tile({
          title: 'Nearest to its timeout',
          description:
            'Longest time idle in a transaction as a fraction of the timeout that applies to that session. When red, ' +
            'the server is about to end it and roll its work back (25P03).',
          unit: 'percentunit',
          decimals: 0,
          expr: `max(pgconn_idle_in_transaction_timeout_ratio{${T}})`,
          steps: above(TIMEOUT_RATIO),
          noValue: 'no timeout applies',
        }),
        tile({
          title: 'Waiting for locks',
          description:
            'Sessions that wait for a lock. When orange, the roots of the chains are listed below; ending a root lets ' +
            'all sessions behind it go on.',
          unit: 'short',
          expr: `sum(pgconn_blocked_sessions{${T}}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Longest chain of waits',
          description:
            'Waits from the root of a chain to the session furthest behind it. When orange, end the root first.',
          unit: 'short',
          expr: `max(pgconn_blocking_chain_depth{${T}}) or vector(0)`,
          steps: [
            [null, 'green'],
            [2, WATCH],
          ],
        }),
        tile({
          title: 'Oldest active transaction',
          description:
            'Age of the oldest transaction of a session that is working. When orange, it holds back vacuum and its' +
            ' locks: is it a report, a dump, or a plan gone wrong?',
          unit: SPAN,
          expr: `max(pgconn_transaction_oldest_seconds{${T}, state="active"}) or vector(0)`,
          steps: above(LONG_RUNNING_SECONDS),
        }),
      ],
    },
    {
      title: 'Who',
      panels: [
        list({
          title: 'Who holds transactions open',
          description:
            'Owners of sessions that are idle in a transaction, the oldest first. Act where others wait behind it or ' +
            'where the timeout is near; without a timeout the session may stay forever.',
          span: 24,
          height: 7,
          noValue: 'Nobody is idle in a transaction',
          filterable: true,
          order: 'Idle for',
          columns: [
            {
              title: 'Idle for',
              expr: idleAge(OWNER),
              unit: CLOCK,
              steps: above(IDLE_IN_TRANSACTION_SECONDS),
            },
            {
              title: 'Of its timeout',
              expr: `max by (${TARGET}, database, user) (pgconn_idle_in_transaction_timeout_ratio{${T}})
                * on (${TARGET}, database, user) group_right group by (${OWNER})
                (pgconn_sessions{${T}, ${IDLE_IN_TRANSACTION}} > 0)`,
              unit: 'percentunit',
              decimals: 0,
              steps: above(TIMEOUT_RATIO),
            },
            {
              title: 'Blocked by it',
              expr: `sum by (${OWNER}) (${blockedByIdle}) > 0`,
              decimals: 0,
              steps: any(),
            },
            {
              title: 'Sessions',
              expr: `sum by (${OWNER}) (pgconn_sessions{${T}, ${IDLE_IN_TRANSACTION}} > 0)`,
              decimals: 0,
            },
            { title: 'Target', label: 'target' },
            { title: 'Cluster', label: 'cluster' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            { title: 'Application', label: 'application' },
          ],
        }),
        list({
          title: 'Roots of the chains',
          description:
            'Sessions that others wait for and that wait for no lock themselves. A root that is idle in a ' +
            'transaction needs its client; an active one needs time, or to be cancelled.',
          noValue: 'Nobody waits for a lock',
          order: 'Sessions',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            { title: 'Application', label: 'application' },
            { title: 'State', label: 'state' },
            {
              title: 'Sessions',
              expr: `sum by (${OWNER}, state) (pgconn_blocking_sessions{${T}} > 0)`,
              decimals: 0,
              width: 90,
            },
          ],
        }),
        list({
          title: 'Longest active transactions',
          description:
            'Owners of the oldest transactions that are working. When orange: a report or dump that should run on ' +
            'a standby, a plan gone wrong, or a wait for a lock.',
          noValue: 'No transaction is active',
          order: 'Age',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            { title: 'Application', label: 'application' },
            {
              title: 'Age',
              expr: `max by (${OWNER}) (pgconn_transaction_oldest_seconds{${T}, state="active"})`,
              unit: CLOCK,
              steps: above(LONG_RUNNING_SECONDS),
              width: 110,
            },
          ],
        }),
      ],
    },
    {
      title: 'Idle in transaction over time',
      panels: [
        graph({
          title: 'Oldest session idle in transaction',
          description:
            'By target. A sawtooth with peaks of equal height shows a timeout at work; a line that keeps growing has ' +
            'none. Above the red line, somebody should check the application.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          series: [[idleAge(TARGET), '{{target}}']],
          steps: above(IDLE_IN_TRANSACTION_SECONDS, NONE),
          noValue: NOBODY_IDLE,
        }),
        graph({
          title: 'Share of the timeout used',
          description:
            'By database and user, against the timeout that applies to them (role in database, role, database, ' +
            'server). At 100 % the server ends the session: act before that.',
          unit: 'percentunit',
          series: [
            [
              `max by (${TARGET}, database, user) (pgconn_idle_in_transaction_timeout_ratio{${T}})`,
              '{{target}} {{database}} {{user}}',
            ],
          ],
          steps: above(TIMEOUT_RATIO, NONE),
          softMax: 1,
          noValue: 'No timeout applies to a session that was idle in a transaction',
        }),
        graph({
          title: 'Sessions idle in transaction, by age',
          description:
            'How many sessions have been idle in a transaction for longer than each age. Many young ones mean a busy ' +
            'application that calls other services inside transactions; old ones are forgotten.',
          unit: 'short',
          decimals: 0,
          series: [
            [
              inOrderOf(
                'age',
                `sum by (age) (pgconn_sessions_over_age{${T}, state="idle in transaction"})
                  ${everAbove0('pgconn_sessions_over_age', 'age', ', state="idle in transaction"')}`,
              ),
              'longer than {{age}} s',
            ],
          ],
          softMax: 4,
          noValue: 'No session was idle in a transaction for long',
        }),
        graph({
          title: 'Share of session time idle in transaction',
          description:
            'Time spent idle in a transaction, as a share of all session time, by database (PostgreSQL 14 and later). ' +
            'A rise after a deployment means that it holds transactions open for longer.',
          unit: 'percentunit',
          max: 1,
          series: [
            [
              `sum by (${TARGET}, database)
                  (rate(pgconn_session_seconds_total{${T}, kind="idle_in_transaction"}[$__rate_interval]))
                / (sum by (${TARGET}, database)
                  (rate(pgconn_session_seconds_total{${T}, kind="session"}[$__rate_interval])) > 0)
                ${everRose('pgconn_session_seconds_total', `${TARGET}, database`, ', kind="idle_in_transaction"')}`,
              '{{target}} {{database}}',
            ],
          ],
          noValue: NOBODY_IDLE,
        }),
      ],
    },
    {
      title: 'Blocking over time',
      panels: [
        graph({
          title: 'Sessions waiting for locks',
          description:
            'By database, and how many of them wait behind an idle transaction. When many wait for one, end the root ' +
            'of the chain.',
          unit: 'short',
          decimals: 0,
          series: [
            [
              `sum by (${TARGET}, database) (pgconn_blocked_sessions{${T}})
                ${everAbove0('pgconn_blocked_sessions', `${TARGET}, database`)}`,
              '{{target}} {{database}}',
            ],
            [
              `sum by (${TARGET}) (pgconn_blocked_by_idle_in_transaction{${T}})
                ${everAbove0('pgconn_blocked_by_idle_in_transaction', TARGET)}`,
              '{{target}} behind idle transactions',
            ],
          ],
          softMax: 4,
          noValue: NOBODY_WAITS,
        }),
        graph({
          title: 'Oldest wait',
          description:
            'Age of the oldest statement that waits for a lock, by database. Longer than deadlock_timeout means no ' +
            'deadlock, but a slow or idle owner of the lock.',
          unit: CLOCK,
          softMax: CLOCK_SOFT_MAX,
          series: [[`max by (${TARGET}, database) (pgconn_blocked_oldest_seconds{${T}})`, '{{target}} {{database}}']],
          noValue: NOBODY_WAITS,
        }),
        graph({
          title: 'What active sessions wait for',
          description:
            'Active sessions that wait, by kind of wait. Lock is another session, LWLock and BufferPin (19: Buffer) the server ' +
            'itself, IO the disk, Client an application that does not read its answer.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (wait_event_type) (pgconn_sessions_waiting{${T}})`, '{{wait_event_type}}']],
          colors: WAITS,
          softMax: 4,
          noValue: 'No active session waited',
        }),
        graph({
          title: 'Deadlocks and rollbacks',
          description:
            'Deadlocks, and transactions rolled back, per second. A deadlock is the applications’ fault: they lock' +
            ' rows in different orders.',
          unit: 'ops',
          softMax: 1,
          series: [
            [
              `sum by (${TARGET}) (rate(pgconn_deadlocks_total{${T}}[$__rate_interval]))
                ${everRose('pgconn_deadlocks_total', TARGET)}`,
              '{{target}} deadlocks',
            ],
            [
              `sum by (${TARGET}) (rate(pgconn_transactions_total{${T}, outcome="rollback"}[$__rate_interval]))
                ${everRose('pgconn_transactions_total', TARGET, ', outcome="rollback"')}`,
              '{{target}} rollbacks',
            ],
          ],
        }),
        graph({
          title: 'Sessions by state',
          description: 'What the sessions of all chosen targets do. Watch for a growing band of idle in transaction.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          span: 24,
          series: [[`sum by (state) (pgconn_sessions{${T}})`, '{{state}}']],
          colors: STATES,
        }),
      ],
    },
  ],
});
