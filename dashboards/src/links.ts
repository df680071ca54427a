// How one dashboard leads to another, with the time range and the variables kept.

import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';

export const TAG = 'pgconn';

export const UIDS = {
  fleet: 'pgconn-fleet',
  drops: 'pgconn-drops',
  transactions: 'pgconn-transactions',
  capacity: 'pgconn-capacity',
  probes: 'pgconn-probes',
  tls: 'pgconn-tls',
  settings: 'pgconn-settings',
  exporter: 'pgconn-exporter',
} as const;

export type Name = keyof typeof UIDS;

export interface Link {
  title: string;
  url: string;
}

export const to = (name: Name, title: string): Link => ({
  title,
  url: `/d/${UIDS[name]}?\${__all_variables}&\${__url_time_range}`,
});

/** From a row of a table to a dashboard of that row's target alone. */
export const toTargetOfRow = (name: Name, title: string): Link => ({
  title,
  url:
    `/d/${UIDS[name]}?\${datasource:queryparam}&\${job:queryparam}&\${cluster:queryparam}` +
    '&var-target=${__data.fields.Target}&${__url_time_range}',
});

/** All dashboards of this family, at the top of each. */
export const family = () =>
  new DashboardLinkBuilder('PostgreSQL connections')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true)
    .icon('external link');
