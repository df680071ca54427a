#!/usr/bin/env bash
# Unpacks distribution packages into a cache without installing them: needs no root, starts no daemon,
# and keeps several releases side by side. apt downloads and verifies, from the mirror that this
# machine's own apt sources name.
#
#   debbox.sh SUITE PACKAGE…     prints the directory that holds the PACKAGEs and their libraries
#
# SUITE is a release's codename, `native` for this machine's, or `experimental`, which completes what it has
# of PostgreSQL with sid's libraries. The programs run with the loader and
# libraries of their own release, so this machine's libc does not matter. Calls may run side by side.
# Exit status 3: cannot be had (not on the mirror, or no network). PGCONN_CACHE moves the cache.
set -euo pipefail
umask 022

native=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# Root's servers run as another user, who may not look into root's home.
if [ "$(id -u)" = 0 ]; then default_cache=/var/cache; else default_cache=$HOME/.cache; fi
cache=${PGCONN_CACHE:-${XDG_CACHE_HOME:-$default_cache}/pgconn_exporter}

# The mirrors of this machine that carry its own release: candidates for any other release.
mirrors() {
  apt-get --print-uris update | sed -nE "s|^'(.*)dists/$native/(In)?Release'.*|\1|p" | sort -u
}

# write_apt_conf STATE: apt's view of one suite, apart from the machine's own packages and lists.
write_apt_conf() {
  local state=$1
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  : >"$state/status"
  # apt takes from experimental only what it is told to: not its libc, which has no match in sid.
  printf '%s\n' "Package: src:postgresql-*" "Pin: release a=experimental" "Pin-Priority: 990" >"$state/preferences"
  cat >"$state/apt.conf" <<C
#clear APT::Update;
#clear DPkg::Post-Invoke;
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "$state/preferences";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
// A release out of support is no longer signed anew.
Acquire::Check-Valid-Until "false";
C
}

# update SUITE STATE: fetches the suite's index (and sid's beside experimental's) from the first mirror that has it.
update() {
  local suite=$1 state=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror each suites
  suites=("$suite")
  [ "$suite" != experimental ] || suites+=(sid)
  [ -e "$keyring" ] || keyring=${keyring%.gpg}.pgp
  for mirror in $(mirrors); do
    for each in "${suites[@]}"; do
      echo "deb [signed-by=$keyring targets=Packages] $mirror $each main"
    done >"$state/sources.list"
    apt-get -c "$state/apt.conf" -qq update && return
  done
  echo "no mirror in this machine's apt sources has $suite"
  return 1
}

# closure STATE PACKAGE…: the packages and the libraries they need. The rest of what they depend on
# (init scripts, Perl wrappers, LLVM for the JIT) serves an installation, not a running program.
closure() {
  local state=$1; shift
  printf '%s\n' "$@"
  apt-get -c "$state/apt.conf" -qq --simulate install "$@" | awk '$1 == "Inst" { print $2 }' |
    grep -E '^(lib|zlib1g$|fonts-|promtool$)' | grep -Ev '^lib(llvm|z3|perl|python|c-l10n|json-perl|ipc-run)'
}

# loader_of ROOT PROGRAM: the dynamic loader in ROOT that belongs to PROGRAM.
loader_of() {
  local root=$1 interpreter candidate target
  interpreter=$(patchelf --print-interpreter "$2") || return 1  # a script, a link, a library
  for candidate in "$root$interpreter" "$root/usr$interpreter"; do
    target=$(readlink "$candidate" || true)
    # An absolute link means a file of the same root, not of this machine.
    [[ $target != /* ]] || candidate=$root$target
    [ ! -e "$candidate" ] || { readlink -f "$candidate"; return; }
  done
  return 1
}

# Points every program under ROOT at ROOT's own loader and libraries.
make_self_contained() {
  local suite=$1 root=$2 libraries program loader
  libraries=$(printf '%s:' "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*)
  for program in "$root"/usr/{s,}bin/* "$root"/usr/lib/postgresql/*/bin/*; do
    loader=$(loader_of "$root" "$program" 2>/dev/null) || continue
    # Go programs need only libc and do not survive patching.
    if [ "$suite" = "$native" ] && ! patchelf --print-needed "$program" | grep -qvE '^lib(c|pthread|resolv|m|dl)\.so'; then
      continue
    fi
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${libraries%:}" "$program"
  done
}

unpack() {
  local suite=$1 root=$2 state=$cache/apt/$1 debs packages; shift 2
  debs=$root.debs
  rm -rf "$root" "$debs"
  mkdir -p "$root" "$debs"
  (
    lock 9  # one apt per suite
    write_apt_conf "$state"
    update "$suite" "$state"
    packages=$(closure "$state" "$@")
    cd "$debs"
    # shellcheck disable=SC2086 # one word per package
    apt-get -c "$state/apt.conf" -qq download $packages
  ) 9>"$cache/apt.$suite.lock"
  for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$root"; done
  rm -rf "$debs" "$root"/usr/share/{doc,man,locale,nodejs,javascript/moment-timezone/data} \
    "$root"/usr/lib/postgresql/*/lib/bitcode
  make_self_contained "$suite" "$root"
  chmod -R a+rX "$root"
  touch "$root/.complete"
}

# lock FD: waits for another that downloads the same, but not for ever.
lock() { flock -w 1200 "$1" || { echo "debbox: another download holds $cache for 20 minutes" >&2; return 3; }; }

[ $# -ge 2 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
suite=$1; shift
[ "$suite" != native ] || suite=$native
root=$cache/$suite/$1
if [ ! -e "$root/.complete" ]; then
  # Without it programs would stay as they are, and the cache keep them so.
  command -v patchelf >/dev/null || { echo "debbox: needs patchelf: run scripts/install-deps test" >&2; exit 1; }
  mkdir -p "$cache/$suite"
  exec 8>"$root.lock"
  lock 8
fi
if [ ! -e "$root/.complete" ]; then
  echo "debbox: downloading $* of $suite" >&2
  # A subshell of its own: errexit would be off inside a function called in a condition.
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  set +e
  ( set -e; unpack "$suite" "$root" "$@" ) >"$log" 2>&1
  status=$?
  set -e
  if [ $status != 0 ]; then
    rm -rf "$root" "$root.debs"
    echo "debbox: $* of $suite cannot be had: $(grep -v '^$' "$log" | tail -n 3 | tr '\n' ' ')" >&2
    exit 3
  fi
fi
echo "$root"
