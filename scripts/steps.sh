# Sourced by the other scripts: one line per long step, with the time it took.
step_name=
step_start=$SECONDS

step_done() {
  [ -z "$step_name" ] || printf -- '-- %s: %d s\n' "$step_name" $((SECONDS - step_start)) >&2
  step_name=
}

# step TEXT…: ends the step before and announces the next.
step() {
  step_done
  step_name=$* step_start=$SECONDS
  printf '== %s\n' "$*" >&2
}

# build_release TARGETS [CMAKE OPTION…]: a step that says something only if it fails.
build_release() {
  local log targets=$1; shift
  step "building"
  log=$(mktemp)
  # shellcheck disable=SC2064 # the file's name as it is now
  trap "rm -f '$log'" EXIT
  trap 'exit 130' INT TERM HUP
  # shellcheck disable=SC2086 # one word per target
  { cmake --preset release "$@" && cmake --build --preset release -j "$(nproc)" --target $targets; } >"$log" 2>&1 ||
    { tail -n 40 "$log" >&2; exit 1; }
  rm -f "$log"
  trap - EXIT INT TERM HUP
  step_done
}
