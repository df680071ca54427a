// When a certificate is due for renewal: by the share of its lifetime that is left, for short-lived ones, and by time.

import { CERTIFICATE_LIFETIME_RATIO, CERTIFICATE_SECONDS } from './limits.ts';
import { T, TARGET } from './selectors.ts';
import { words } from './panels.ts';
import { ACT, FINE, NONE, WATCH } from './theme.ts';

const notAfter = `pgconn_certificate_not_after_timestamp_seconds{${T}}`;
const notBefore = `pgconn_certificate_not_before_timestamp_seconds{${T}}`;
/** For each source, the certificate that expires first among those that it needs. */
const first = `(${notAfter} == on (job, instance, cluster, target, source) group_left ()
  pgconn_certificate_chain_not_after_timestamp_seconds{${T}})`;
const left = `(${first} - time())`;
const share = `(${left} / (${notAfter} - ${notBefore}))`;
const within = (level: 'watch' | 'act') =>
  `(${left} < bool ${CERTIFICATE_SECONDS[level]}) * (${share} < bool ${CERTIFICATE_LIFETIME_RATIO[level]})`;

export const SOURCE = `${TARGET}, source`;

export const chainEndsIn = (by: string) =>
  `min by (${by}) (pgconn_certificate_chain_not_after_timestamp_seconds{${T}}) - time()`;

/** 0: none is due, 1: one is due soon, 2: one is due now. */
export const due = (by: string) => `max by (${by}) (${within('watch')} + ${within('act')})`;

export const dueInWords = [
  words({ 0: { text: 'none', color: FINE }, 1: { text: 'soon', color: WATCH }, 2: { text: 'now', color: ACT } }),
];
export const dueInCells = [
  words({ 0: { text: 'not yet', color: NONE }, 1: { text: 'soon', color: WATCH }, 2: { text: 'now', color: ACT } }),
];
export const standingInCells = [
  words({
    0: { text: 'fine', color: NONE },
    1: { text: 'renew soon', color: WATCH },
    2: { text: 'renew now', color: ACT },
    3: { text: 'not trusted', color: ACT },
  }),
];

/** The same, with a worse state in the same column: 3 is a certificate that does not verify. */
export const standing = (by: string) => `max by (${by}) (${within('watch')} + ${within('act')} or 3 + (${unverified}))`;

/** Without trusted roots the exporter cannot judge a chain; no client is refused because of that. */
const UNJUDGED = 'error=~"no trusted roots.*"';
const JUDGED = 'error!~"no trusted roots.*"';

export const unverified = `pgconn_certificate_verified{${T}, ${JUDGED}} == 0`;
/** 1 verified, 0 not, 2 not judged. */
export const verified = `min by (${SOURCE}, error) (pgconn_certificate_verified{${T}, ${JUDGED}}
  or 2 + pgconn_certificate_verified{${T}, ${UNJUDGED}})`;
export const forAnotherHost = `pgconn_certificate_hostname_match{${T}} == 0`;
