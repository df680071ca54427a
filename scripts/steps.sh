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
