#!/usr/bin/env bash
# Unpacks distribution packages without installing them: needs no root, starts no daemon, and keeps several
# releases side by side. apt downloads and verifies, from the mirror that this machine's own apt sources name.
#
#   debbox.sh SUITE STATE ROOT PACKAGE…     unpacks the PACKAGEs and their libraries into ROOT
#
# SUITE is a release's codename, or `experimental`, which completes what it has of PostgreSQL with sid's
# libraries. STATE is the directory of apt's lists for it. The programs run with the loader and libraries of
# their own release, so this machine's libc does not matter. packages.py calls it, and keeps the cache.
set -euo pipefail
umask 022

native=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

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

[ $# -ge 4 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
suite=$1 state=$2 root=$3; shift 3
debs=$root.debs
trap 'rm -rf "$debs"' EXIT
mkdir -p "$state" "$root" "$debs"
exec 9>"$state.lock"
flock -w 1200 9 || { echo "another download holds $state for 20 minutes"; exit 1; }  # one apt per suite
write_apt_conf "$state"
update "$suite" "$state"
packages=$(closure "$state" "$@")
# shellcheck disable=SC2086 # one word per package
( cd "$debs" && apt-get -c "$state/apt.conf" -qq download $packages )
exec 9>&-
for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$root"; done
rm -rf "$root"/usr/share/{doc,man,locale,nodejs,javascript/moment-timezone/data} "$root"/usr/lib/postgresql/*/lib/bitcode
make_self_contained "$suite" "$root"
chmod -R a+rX "$root"
