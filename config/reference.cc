// docs/configuration.md, printed from the schema.
#include <span>
#include <string>
#include <string_view>

#include "config/loader.h"
#include "config/schema.h"

namespace pgconn::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- Generated: pgconn_exporter list configuration > docs/configuration.md -->
# Configuration

`pgconn_exporter` reads one YAML file, given by `--config.file`. It says which servers to watch
and within which limits. Where the exporter listens and how it logs are flags: see
`pgconn_exporter --help`.

The smallest file names one server:

```yaml
targets:
  - name: orders
    dsn: host=db.internal dbname=postgres user=pgconn sslmode=verify-full
    password_file: /run/secrets/pgconn
```

`pgconn_exporter check-config FILE` checks a file without starting anything. Complete files are in
[config/examples](../config/examples): [minimal.yml](../config/examples/minimal.yml),
[full.yml](../config/examples/full.yml) with every key at its default, and
[multi-target.yml](../config/examples/multi-target.yml) with labels and overrides.

## Precedence

1. Without `--config.file` there is one target named `default`: the server that libpq's
   environment names (`PGHOST`, `PGPORT`, `PGUSER`, `PGSERVICE`, …), with every default below.
2. A key in a target applies to that target.
3. The same key in `global`, `collectors` or `probes` applies to every target that does not set
   it; `files` add up.
4. Otherwise the default applies.

What a target's `dsn` leaves out comes from the service file
(`service=NAME` or `PGSERVICE`), then from the `PG*` variables of the exporter's environment, then
from libpq's own defaults, with one exception: `sslmode` is `require` unless something sets it.
`prefer` and `allow` are refused in a `dsn`, because they try again without TLS and hide why TLS
failed. From a service file or `PGSSLMODE`, `allow` is refused too; `prefer` is treated as
`require`, since libpq does not distinguish it from its own default.

## Secrets

This file never contains a password: a `dsn` with one is refused. A target's password comes
from the first of these that exists:

1. `password_file`: the first line of a file, without its line end. It is read at each connect, so
   a rotated secret is used from the next connection on. A file that is missing or empty is an
   error, never a login without a password.
2. `password_env`: an environment variable of the exporter.
3. `password_command`: what [a program](#password_command) prints. Only one of these three may be set.
4. The service file's `password`, then `PGPASSWORD`.
5. libpq's password file: `~/.pgpass` of the exporter's user or the file that `PGPASSFILE` names.
   libpq ignores it unless its mode is 0600 or stricter.

Messages about this file show no value of a `dsn` and no value of an unknown key; secrets appear
in no log, metric or page.

## How strict it is

An unknown or duplicate key, a missing unit, a value out of range, a second document or an open
quote is an error that names file, line and key and says what is allowed. The first 20 errors of a
file are reported together (an error in the YAML itself is reported alone):

```
pgconn.yml:2: global.scrape_timeout: `10` has no unit, write 15s or 15ms; allowed: 100ms to 10m
pgconn.yml:5: collectors.sessions.by_client: `-1` is out of range; allowed: 0 to 1000
```

- **Durations** are written as in Prometheus: `250ms`, `15s`, `5m`, `1h30m`, `1d`, `1w`. Only `0`
  needs no unit.
- **Integers** are decimal: `010`, `0x10` and `1e3` are refused. **Numbers of seconds** are
  decimal too, but may have a fraction: `0.0005`.
- **Booleans** are `true` and `false`; `yes` and `on` are refused.
- **Text** that could be read as a number or a boolean needs quotes: `shard: "1"`.
- A key without a value is an error; leave the key out instead.
- The file, and every file that it names, is a regular file or a symbolic link to one, as
  Kubernetes mounts them. A named pipe, `/dev/stdin` on a pipe or a shell's `<(…)` is refused at
  once: there is no knowing when it ends, and `SIGHUP` could not read it again.
- Anchors and aliases work; tags and merge keys (`<<`) do not. A file is UTF-8, indented with
  spaces, at most 1 MiB, nested at most 16 levels, and has at most 50000 values with its aliases
  written out.
)";

constexpr std::string_view kOverriding =
    R"(
Every key of `global` can also be set directly in a target, and then applies to that target alone:

```yaml
global:
  connect_timeout: 5s
targets:
  - name: orders
    dsn: host=db.internal user=pgconn
  - name: far-away
    dsn: host=db.example.com user=pgconn sslmode=verify-full
    connect_timeout: 15s
    scrape_timeout: 20s
    collectors:
      blocking: false
```
)";

constexpr std::string_view kCollectors =
    R"(
A key is the name of a collector; `pgconn_exporter list collectors` prints them all. Its value is
`true`, `false` or a mapping of its options; a mapping switches it on, unless it contains
`enabled: false`. A collector that is not named keeps its own default.

```yaml
collectors:
  transport: false
  blocking: {}
  sessions:
    ages: [30s, 5m, 1h]
    by_client: 10
targets:
  - name: orders
    dsn: host=db.internal user=pgconn
```

Every collector takes `enabled` (boolean, default `true`). These take more:
)";

constexpr std::string_view kProbes =
    R"(
Collectors report facts, so they run when Prometheus asks. Probes produce events, such as a
connection that breaks, so they run on their own clock: each at its own interval, over which the
runs of different targets are spread. `pgconn_exporter list probes` prints them all.

The value of a probe is `true`, `false` or a mapping of its options; a mapping switches it on,
unless it contains `enabled: false`. The same keys in a target's `probes` apply to that target alone:

```yaml
probes:
  connect: {interval: 1m}
  roundtrip: {interval: 10s, timeout: 3s}
  duration_buckets: [0.001, 0.01, 0.1, 1, 10]
targets:
  - name: orders
    dsn: host=db.internal user=pgconn
    max_connections_per_target: 8
    probes:
      connect: false
      idle: {canaries: 4, ladder: [1m, 5m, 350s, 1h]}
```

A target's `max_connections_per_target` must hold one connection to collect, one to diagnose why
another was lost, one for each probe that is on, and the canaries of `idle`: with the defaults, 7.
)";

constexpr std::string_view kFiles =
    R"(
Certificates expire, and revocation lists become stale, in files too: the certificate authority
that applications trust, the client certificate they log in with, a server's revocation list. These
are read at the interval of the probe `certificate`, even where that is off. Those listed at the top
level are watched for every target:

```yaml
files:
  - {name: client, path: /etc/pgconn_exporter/client.crt}
targets:
  - name: orders
    dsn: host=db.internal user=pgconn sslmode=verify-full sslrootcert=/etc/ssl/pg-ca.crt
    files:
      - {name: ca, path: /etc/ssl/pg-ca.crt}
      - {name: crl, path: /etc/ssl/pg-ca.crl}
```

A list; each entry is a mapping:
)";

// A `|` would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string("–") : "`" + cell(text) + "`";
}

template <typename Section>
std::string table(std::span<const Field<Section>> fields) {
  std::string rows = "\n| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
  for (const Field<Section>& field : fields) {
    rows += "| `" + field.key + "` | " + field.type + " | " +
            (field.required ? "required" : code(field.default_text)) + " | " + cell(field.allowed) +
            " | " + cell(field.help) + " |\n";
  }
  return rows;
}

constexpr std::string_view kServerLog =
    R"(
[The server's log](server-log.md) tells what SQL cannot: who was refused, killed or lost.

```yaml
targets:
  - name: orders
    dsn: host=/run/postgresql user=pgconn
    server_log:
      files: [/var/log/postgresql/postgresql-17-main.log]
      line_prefix: "%m [%p] %q%u@%d "
      state_file: /var/lib/pgconn_exporter/orders.state
    host: true
```
)";

constexpr std::string_view kPasswordCommand =
    R"(
For passwords that a program hands out, such as the tokens of cloud providers, which expire after minutes. The program runs
without a shell, in the exporter's environment and with `PGHOST`, `PGPORT`, `PGUSER` and `PGDATABASE` of the target; the
first line that it prints is the password. Its answer is used for new connections until `password_lifetime` is over (choose
less than the token lives), or until the server refuses it; targets with the same program, server and role share it. A
program that fails or does not end within `connect_timeout` is ended, and the target reports the first line of its
complaint. Connections that are open stay open when a token expires.

```yaml
targets:
  - name: aws       # RDS and Aurora with IAM authentication: tokens of 15 minutes
    dsn: host=orders.abc.eu-central-1.rds.amazonaws.com user=pgconn dbname=postgres sslmode=verify-full sslrootcert=/etc/ssl/rds.pem
    password_command: [sh, -c, 'exec aws rds generate-db-auth-token --hostname "$PGHOST" --port "$PGPORT" --username "$PGUSER"']
    password_lifetime: 10m
  - name: google    # Cloud SQL with IAM authentication: tokens of an hour
    dsn: host=10.1.2.3 user=pgconn@project.iam dbname=postgres sslmode=verify-ca sslrootcert=/etc/ssl/cloudsql.pem
    password_command: [gcloud, sql, generate-login-token]
    password_lifetime: 30m
  - name: azure     # Azure Database for PostgreSQL with Entra ID: tokens of about an hour
    dsn: host=orders.postgres.database.azure.com user=pgconn dbname=postgres sslmode=verify-full sslrootcert=system
    password_command: [az, account, get-access-token, --resource-type, oss-rdbms, --query, accessToken, --output, tsv]
    password_lifetime: 30m
```
)";

constexpr std::string_view kTargetFiles =
    R"(
Targets that come and go while the exporter runs. The files are watched: a change takes effect within a second, also when
Kubernetes replaces a ConfigMap. A target that did not change keeps its connections and counters. Replace a file by a rename,
so that it is never read half written. If one file is not valid, all stays as it was, and the log says why.

```yaml
target_files:
  - files: [/etc/pgconn_exporter/targets/*.yml]
    dsn: user=pgconn dbname=postgres sslmode=verify-full sslrootcert=/etc/ssl/pg-ca.crt
    password_file: /run/secrets/pgconn
```

A file has one of two forms, in YAML or JSON. Our own, where a target has the keys that it has in `targets`:

```yaml
targets:
  - name: orders
    dsn: host=db.internal user=pgconn
```

or that of Prometheus's `file_sd_configs`, where an address completes the entry's `dsn` and is the target's name (without brackets, and
with `:` for `/`). The labels `job`, `instance` and those that begin with `__` are left out:

```json
[{"targets": ["db-1.internal:5432", "db-2.internal:5432/app"], "labels": {"cluster": "orders"}}]
```

A list; each entry is a mapping:
)";

constexpr std::string_view kAuthModules =
    R"(
For `/probe?target=HOST[:PORT][/DATABASE]&auth_module=NAME`, which connects to a server that the request names, collects
once and disconnects: for servers that come and go, with Prometheus's service discovery
([multi-target exporters](operations.md#servers-that-prometheus-discovers)). The request never contains credentials, and
a module's are only sent to places that it allows:

```yaml
auth_modules:
  cluster:
    allow: ["10.20.0.0/16", "[fd00:20::/48]:5432", "*.db.internal:5432"]
    dsn: user=pgconn dbname=postgres sslmode=verify-full sslrootcert=/etc/ssl/pg-ca.crt
    password_file: /run/secrets/pgconn
    labels: {cluster: orders}
```

A name is resolved once. The addresses that are allowed are then connected to; what the name resolves to later does not
matter. No password is used but the module's own: not `PGPASSWORD`, no service's, not `~/.pgpass`.

A mapping; each entry is a mapping:
)";

}  // namespace

std::string reference_markdown() {
  std::string text(kIntroduction);
  text += "\n## The file\n" + table(file_fields());
  text += "\n## `global`\n" + table(global_fields());
  text += kOverriding;
  text += "\n## `collectors`\n";
  text += kCollectors;
  for (const std::string_view name : configurable_collectors()) {
    const auto fields = collector_fields(name);
    text += "\n### `collectors." + std::string(name) + "`\n" + table<Collectors>(fields);
  }
  text += "\n## `probes`\n";
  text += kProbes;
  text += table(probes_fields());
  text += "\n### `probes.connect`\n" + table(connect_fields());
  text += "\n### `probes.roundtrip`\n" + table(roundtrip_fields());
  text += "\n### `probes.idle`\n" + table(idle_fields());
  text += "\n### `probes.longquery`\n" + table(longquery_fields());
  text += "\n### `probes.certificate`\n" + table(certificate_fields());
  text += "\n## `files`\n";
  text += kFiles;
  text += table(file_entry_fields());
  text += "\n## `targets`\n\nA list; each entry is a mapping:\n" + table(target_fields());
  text += "\nand every key of `global`, for this target alone.\n";
  text += "\n### `password_command`\n";
  text += kPasswordCommand;
  text += "\n## `target_files`\n";
  text += kTargetFiles;
  text += table(target_files_fields());
  text +=
      "\nand every key of a target and of `global`, but for `name`, `files` and `server_log`: "
      "what the targets of these files start from.\n";
  text += "\n### `server_log`\n";
  text += kServerLog;
  text += table(server_log_fields());
  text += "\n## `auth_modules`\n";
  text += kAuthModules;
  text += table(auth_module_fields());
  text += "\nand every key of `global`, for this module alone.\n";
  return text;
}

}  // namespace pgconn::config
