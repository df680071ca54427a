import { dashboard } from './dashboard.ts';
import { events, graph, tile, words } from './panels.ts';
import { E, failingCollectors, happened, T, TARGET } from './selectors.ts';
import { list } from './tables.ts';
import { ACT, NONE, PURPOSES, WATCH, any, informs } from './theme.ts';

/** The instances that are exporters of ours, among all that share a job. */
const ours = `and on (job, instance) pgconn_exporter_targets{${E}}`;

const repaired = `sum by (${TARGET}) (increase(pgconn_exporter_repaired_label_values_total{${T}}[$__range]))`;
const folded = `sum by (${TARGET}) (pgconn_exporter_capped_series{${T}})`;

export const exporter = dashboard({
  name: 'exporter',
  title: 'Exporter',
  question: 'Can the other dashboards be trusted, and what do they cost?',
  rows: [
    {
      title: 'Now',
      panels: [
        tile({
          title: 'Exporters not scraped',
          description:
            'Exporters that Prometheus cannot scrape. When red: does it run, does its port answer, is its scrape ' +
            'timeout below that of Prometheus?',
          unit: 'short',
          expr: `count(up{${E}} == 0 and on (job) group by (job) (last_over_time(pgconn_exporter_targets{${E}}[1d])))
            or vector(0)`,
          steps: any(),
        }),
        tile({
          title: 'Configurations refused',
          description:
            'Exporters that refused their configuration when they last read it and keep using the previous one. When ' +
            'orange, pgconn_exporter check-config says what is wrong.',
          unit: 'short',
          expr: `count(pgconn_exporter_config_last_reload_successful{${E}} == 0) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Collectors failing',
          description:
            'Collectors that did not deliver in the last scrape although the server answers and they were not ' +
            'skipped. When orange, the errors below and the log of the exporter say why.',
          unit: 'short',
          expr: `count(${failingCollectors}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Cannot see everything',
          description:
            'Things that the role of the exporter may not see. When orange, GRANT pg_monitor TO it; until then ' +
            'numbers are too low without a warning.',
          unit: 'short',
          expr: `count(pgconn_visibility{${T}} == 0) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Series folded',
          description:
            'Series that were summed into "other" because there were more than max_series_per_metric. When orange,' +
            ' raise it or give applications fewer names.',
          unit: 'short',
          expr: `sum(pgconn_exporter_capped_series{${T}}) or vector(0)`,
          steps: any(WATCH),
        }),
        tile({
          title: 'Targets',
          description: 'Configured targets of the chosen jobs. More or fewer than expected? Check the configuration.',
          unit: 'short',
          expr: `sum(pgconn_exporter_targets{${E}}) or vector(0)`,
          steps: informs,
        }),
      ],
    },
    {
      title: 'What fails',
      panels: [
        events({
          title: 'Errors of collection',
          description:
            'Failures of the collection session and of its queries. 42501 needs a grant, 57014 more time or a less ' +
            'busy server, 53300 a reserved slot.',
          unit: 'short',
          series: [
            [
              happened('pgconn_scrape_errors_total', `${TARGET}, reason, sqlstate`),
              '{{target}} {{reason}} {{sqlstate}}',
            ],
          ],
          shadesOf: WATCH,
          noValue: 'No error in this time range',
        }),
        list({
          title: 'Collectors',
          description:
            'Collectors that fail or were skipped, and why: version is an old server, privilege a missing grant, kind ' +
            'a target that is no server.',
          order: 'Delivers',
          ascending: true,
          filterable: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Collector', label: 'collector' },
            {
              title: 'Delivers',
              expr: `min by (${TARGET}, collector) (pgconn_collector_success{${T}})`,
              mappings: [words({ 0: { text: 'no', color: WATCH }, 1: { text: 'yes', color: NONE } })],
              width: 110,
            },
            {
              title: 'Took',
              expr: `max by (${TARGET}, collector) (pgconn_collector_duration_seconds{${T}})`,
              unit: 's',
              width: 100,
            },
            { title: 'Left out for', label: 'reason', width: 120 },
            { title: '', expr: `max by (${TARGET}, collector, reason) (pgconn_collector_skipped{${T}})` },
          ],
        }),
        list({
          title: 'What the role may see',
          description: 'Scopes that the role of the exporter sees. Where it says no, GRANT pg_monitor TO that role.',
          height: 7,
          order: 'Sees',
          ascending: true,
          columns: [
            { title: 'Target', label: 'target' },
            { title: 'Scope', label: 'scope' },
            {
              title: 'Sees',
              expr: `min by (${TARGET}, scope) (pgconn_visibility{${T}})`,
              mappings: [words({ 0: { text: 'no', color: WATCH }, 1: { text: 'yes', color: NONE } })],
            },
          ],
        }),
        list({
          title: 'Programs',
          description:
            'What runs, when it started and last read its configuration. Different versions call for an update.',
          height: 7,
          order: 'Exporter',
          ascending: true,
          columns: [
            { title: 'Exporter', label: 'instance' },
            { title: 'Version', label: 'version', width: 100 },
            { title: 'libpq', label: 'libpq', width: 90 },
            { title: 'OpenSSL', label: 'openssl', width: 90 },
            {
              title: 'Configuration',
              expr: `min by (instance) (pgconn_exporter_config_last_reload_successful{${E}})`,
              mappings: [words({ 0: { text: 'refused', color: ACT }, 1: { text: 'accepted', color: NONE } })],
              width: 120,
            },
            {
              title: 'Read',
              expr: `1000 * max by (instance) (pgconn_exporter_config_last_reload_success_timestamp_seconds{${E}})`,
              unit: 'dateTimeFromNow',
            },
            {
              title: 'Started',
              expr: `1000 * max by (instance) (process_start_time_seconds{${E}} ${ours})`,
              unit: 'dateTimeFromNow',
            },
            { title: '', expr: `max by (instance, version, libpq, openssl) (pgconn_exporter_build_info{${E}})` },
          ],
        }),
      ],
    },
    {
      title: 'Scrapes',
      panels: [
        graph({
          title: 'Time of a scrape',
          description:
            'Median and 95th percentile of whole scrapes. When it comes near the scrape timeout, find the slow ' +
            'collector in the panel beside this one.',
          unit: 's',
          series: [
            [
              `histogram_quantile(0.5, sum by (instance, le)
                (rate(pgconn_exporter_scrape_duration_seconds_bucket{${E}}[$__rate_interval])))`,
              '{{instance}} median',
            ],
            [
              `histogram_quantile(0.95, sum by (instance, le)
                (rate(pgconn_exporter_scrape_duration_seconds_bucket{${E}}[$__rate_interval])))`,
              '{{instance}} 95th',
            ],
          ],
        }),
        graph({
          title: 'Time of collectors',
          description:
            'The slowest target of each collector. A collector whose time grows can be switched off for one target ' +
            'alone.',
          unit: 's',
          series: [[`max by (collector) (pgconn_collector_duration_seconds{${T}})`, '{{collector}}']],
        }),
        graph({
          title: 'Samples of a scrape',
          description: 'What a scrape costs Prometheus. A jump is a new label value: look at the folded series.',
          unit: 'locale',
          shadesOf: 'blue',
          series: [[`scrape_samples_scraped{${E}} ${ours}`, '{{instance}}']],
        }),
        graph({
          title: 'HTTP requests',
          description: 'Requests answered per second. Codes from 400 on are a wrong path or more scrapes than allowed.',
          unit: 'reqps',
          series: [
            [
              `sum by (path, code) (rate(pgconn_exporter_http_requests_total{${E}}[$__rate_interval]))`,
              '{{path}} {{code}}',
            ],
          ],
        }),
        list({
          title: 'Repaired and folded',
          description:
            'Targets with label values that were not UTF-8, in this time range, or with series over the limit. Both ' +
            'lose detail, never totals.',
          height: 5,
          span: 24,
          noValue: 'All series are complete, with their original names',
          order: 'Repaired values',
          columns: [
            { title: 'Target', label: 'target' },
            {
              title: 'Repaired values',
              expr: `${repaired} > 0.5 or ${repaired} and on (${TARGET}) (${folded} > 0)`,
              decimals: 0,
              steps: any(WATCH),
            },
            {
              title: 'Folded series',
              expr: `${folded} > 0`,
              decimals: 0,
              steps: any(WATCH),
            },
          ],
        }),
      ],
    },
    {
      title: 'Cost',
      panels: [
        graph({
          title: 'Sessions held on the targets',
          description:
            'Connection slots that the exporter takes, by purpose; max_connections_per_target limits them. More than ' +
            'the probes need is a fault of the exporter.',
          unit: 'short',
          decimals: 0,
          stacked: true,
          series: [[`sum by (purpose) (pgconn_exporter_connections{${T}})`, '{{purpose}}']],
          colors: PURPOSES,
        }),
        graph({
          title: 'CPU',
          description: 'Cores used by the exporter. A rise without more targets is worth a report.',
          unit: 'short',
          decimals: 3,
          shadesOf: 'blue',
          series: [[`rate(process_cpu_seconds_total{${E}}[$__rate_interval]) ${ours}`, '{{instance}}']],
        }),
        graph({
          title: 'Memory',
          description: 'Resident memory of the exporter. It levels off; a line that only grows is a leak.',
          unit: 'bytes',
          shadesOf: 'blue',
          series: [[`process_resident_memory_bytes{${E}} ${ours}`, '{{instance}}']],
        }),
        graph({
          title: 'File descriptors',
          description: 'Open descriptors against their limit. Above the dashed line, connections and scrapes fail.',
          unit: 'percentunit',
          max: 1,
          shadesOf: 'blue',
          series: [[`process_open_fds{${E}} / process_max_fds{${E}} ${ours}`, '{{instance}}']],
          steps: [
            [null, NONE],
            [0.8, ACT],
          ],
        }),
      ],
    },
  ],
});
