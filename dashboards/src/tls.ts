import {
  SOURCE,
  chainEndsIn,
  due,
  dueInCells,
  dueInWords,
  forAnotherHost,
  unverified,
  verified,
} from './certificates.ts';
import { dashboard } from './dashboard.ts';
import { CERTIFICATE_SECONDS, DAY } from './limits.ts';
import { events, graph, tile, timeline, words } from './panels.ts';
import { happened, T, TARGET } from './selectors.ts';
import { list } from './tables.ts';
import { ACT, FINE, NONE, SPAN, TRANSPORTS, WATCH, any, below } from './theme.ts';

const NO_CERTIFICATES = 'no certificate seen';
const yesOrNo = (no: string, color: string) => [words({ 0: { text: no, color }, 1: { text: 'yes', color: NONE } })];

export const tls = dashboard({
  name: 'tls',
  title: 'TLS and certificates',
  question: 'Will a certificate stop clients, and who talks without encryption?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Certificates to renew',
          description:
            'Whether a certificate expires soon: less than a third of its lifetime and less than three weeks left. ' +
            'Clients that verify cannot connect once it has expired. When orange, renew it, then reload the server.',
          unit: 'none',
          expr: `max(${due(SOURCE)})`,
          steps: [
            [null, FINE],
            [1, WATCH],
            [2, ACT],
          ],
          mappings: dueInWords,
          noValue: NO_CERTIFICATES,
        }),
        tile({
          title: 'Do not verify',
          description:
            'Servers whose chain does not lead to a trusted root or is out of date. When red, clients with ' +
            'sslmode=verify-ca or verify-full are refused; the table names the reason.',
          unit: 'short',
          expr: `count(${unverified}) or vector(0)`,
          steps: any(),
        }),
        tile({
          title: 'For another host',
          description:
            'Servers whose certificate is not for the host they were reached by. When orange, clients with ' +
            'sslmode=verify-full are refused: add the name to the certificate.',
          unit: 'short',
          expr: `count(${forAnotherHost}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Not readable',
          description:
            'Files whose certificates could not be read at the last check; what is shown of them is old. When orange, ' +
            'check that they exist and that the exporter may read them.',
          unit: 'short',
          expr: `count(pgconn_certificate_readable{${T}, source!="server"} == 0) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Remote without encryption',
          description:
            'Sessions from another host that are neither over TLS nor GSS. When orange, the table names user and ' +
            'database: set sslmode=require there and write hostssl in pg_hba.conf.',
          unit: 'short',
          expr: `sum(pgconn_plaintext_remote_sessions{${T}}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Over old protocols',
          description:
            'Sessions over TLS 1.0 or 1.1. When orange, update those clients, then set ssl_min_protocol_version to' +
            ' TLSv1.2.',
          unit: 'short',
          expr: `sum(pgconn_tls_sessions{${T}, version=~"TLSv1|TLSv1.1|SSL.*"}) or vector(0)`,
          steps: any(WATCH),
        }),
      ],
    },
    {
      title: 'Certificates',
      panels: [
        list({
          title: 'Sources',
          description:
            'Where certificates come from and what state they are in, the first to expire on top. A coloured cell ' +
            'says why clients are, or will be, refused.',
          span: 24,
          height: 11,
          first: { title: 'Renew', ascending: false },
          order: 'Chain expires in',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Source', label: 'source' },
            { title: 'Chain expires in', expr: chainEndsIn(SOURCE), unit: SPAN, decimals: 1 },
            { title: 'Renew', expr: due(SOURCE), mappings: dueInCells, width: 90 },
            {
              title: 'Readable',
              expr: `min by (${SOURCE}) (pgconn_certificate_readable{${T}})`,
              mappings: yesOrNo('no', WATCH),
            },
            {
              title: 'Verifies',
              expr: verified,
              mappings: [...yesOrNo('no', ACT), words({ 2: { text: 'not judged' } })],
            },
            { title: 'Reason', label: 'error', width: 330 },
            {
              title: 'For this host',
              expr: `min by (${SOURCE}) (pgconn_certificate_hostname_match{${T}})`,
              mappings: yesOrNo('no', WATCH),
            },
            {
              title: 'CRL stale in',
              expr: `min by (${SOURCE}) (pgconn_crl_next_update_timestamp_seconds{${T}}) - time()`,
              unit: SPAN,
              decimals: 1,
              steps: [
                [null, WATCH],
                [0, NONE],
              ],
            },
            {
              title: 'Changed',
              expr: `sum by (${SOURCE}) (increase(pgconn_certificate_changes_total{${T}}[$__range]))`,
              decimals: 0,
            },
          ],
        }),
        list({
          title: 'Certificates',
          description:
            'Every certificate of a source, from the leaf to the root, the first to expire on top. Coloured ones have ' +
            'expired; an intermediate that expires breaks the chain as well.',
          span: 24,
          height: 11,
          filterable: true,
          order: 'Expires in',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Source', label: 'source', width: 100 },
            { title: 'Position', label: 'position', width: 110 },
            { hidden: 'serial', title: 'Serial' },
            {
              title: 'Expires in',
              expr: `min by (${SOURCE}, position, serial)
                (pgconn_certificate_not_after_timestamp_seconds{${T}}) - time()`,
              unit: SPAN,
              decimals: 1,
              steps: [
                [null, ACT],
                [0, NONE],
              ],
              width: 150,
            },
            {
              title: 'Valid from',
              expr: `1000 * max by (${SOURCE}, position, serial)
                (pgconn_certificate_not_before_timestamp_seconds{${T}})`,
              unit: 'dateTimeAsIso',
              width: 170,
            },
            { title: 'Subject', label: 'subject' },
            { title: 'Issuer', label: 'issuer' },
            { title: 'Names', label: 'sans' },
            { title: 'Key', label: 'key', width: 100 },
            { title: 'Signature', label: 'signature' },
            {
              title: '',
              expr: `max by (${SOURCE}, position, serial, subject, issuer, sans, key, signature)
                (pgconn_certificate_info{${T}})`,
            },
          ],
        }),
        graph({
          title: 'Days left, by source',
          description:
            'Days until the first certificate of a source expires. They fall until it is renewed: a jump up is a ' +
            'rotation, a line below orange needs one.',
          unit: 'none',
          series: [[`(${chainEndsIn(SOURCE)}) / ${DAY}`, '{{target}} {{source}}']],
          shadesOf: 'blue',
          steps: below({ watch: CERTIFICATE_SECONDS.watch / DAY, act: CERTIFICATE_SECONDS.act / DAY }, NONE),
          noValue: NO_CERTIFICATES,
        }),
        events({
          title: 'Certificates changed',
          description:
            'When a source was seen to have other certificates than before. If nobody should have rotated them, find ' +
            'out who did.',
          unit: 'short',
          series: [[happened('pgconn_certificate_changes_total', SOURCE), '{{target}} {{source}}']],
          shadesOf: 'blue',
          noValue: 'No certificate changed in this time range',
        }),
      ],
    },
    {
      title: 'Sessions',
      panels: [
        graph({
          title: 'Sessions by transport',
          description:
            'How clients reach the servers. Any plain remote session can be read on the way: the table beside it ' +
            'names it.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (transport, origin) (pgconn_transport_sessions{${T}}) > 0`, '{{transport}} {{origin}}']],
          colors: TRANSPORTS,
        }),
        list({
          title: 'Remote sessions without encryption',
          description: 'Who talks in plain text from another host. Set sslmode=require in these clients.',
          noValue: 'Every remote session is encrypted',
          order: 'Sessions',
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Database', label: 'database' },
            { title: 'User', label: 'user' },
            {
              title: 'Sessions',
              expr: `sum by (${TARGET}, database, user) (pgconn_plaintext_remote_sessions{${T}} > 0)`,
              decimals: 0,
              steps: any(WATCH),
              width: 100,
            },
          ],
        }),
        graph({
          title: 'TLS sessions by protocol',
          description: 'What was negotiated. Sessions over TLSv1 or TLSv1.1 need newer clients.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (version) (pgconn_tls_sessions{${T}})`, '{{version}}']],
          colors: { 'TLSv1.3': '#3274D9', 'TLSv1.2': '#8AB8FF', 'TLSv1.1': '#FF9830', TLSv1: '#F2495C' },
          noValue: 'No session over TLS',
        }),
        list({
          title: 'What is negotiated',
          description:
            'Sessions by protocol and cipher, and what a fresh handshake of the exporter got. Where no TLS is ' +
            'offered, clients that require it cannot connect.',
          order: 'Sessions',
          filterable: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Protocol', label: 'version', width: 100 },
            { title: 'Cipher', label: 'cipher', width: 280 },
            {
              title: 'Sessions',
              expr: `sum by (${TARGET}, version, cipher) (pgconn_tls_sessions{${T}})`,
              decimals: 0,
              width: 110,
            },
            {
              title: 'Fresh handshake',
              expr: `max by (${TARGET}, version, cipher) (pgconn_tls_handshake_info{${T}})`,
              mappings: [words({ 1: { text: 'this one' } })],
              width: 160,
            },
          ],
        }),
        timeline({
          title: 'TLS offered',
          description:
            'Whether the server takes connections over TLS. Where it is orange it declines: ssl is off, or its key is ' +
            'gone.',
          mappings: [words({ 0: { text: 'declined', color: WATCH }, 1: { text: 'offered', color: FINE } })],
          span: 12,
          height: 7,
          series: [[`min by (${TARGET}) (pgconn_tls_offered{${T}})`, '{{target}}']],
          noValue: 'Not checked',
        }),
        graph({
          title: 'Sessions with a client certificate',
          description:
            'Sessions over TLS that showed a certificate of their own. A fall means that logins with certificates ' +
            'fail.',
          unit: 'short',
          decimals: 0,
          height: 7,
          softMax: 4,
          series: [[`max by (${TARGET}) (pgconn_tls_client_certificate_sessions{${T}})`, '{{target}}']],
        }),
      ],
    },
  ],
});
