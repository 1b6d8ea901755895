#!/usr/bin/env bash
# Run commands side by side; the last one is seen at work, and what the others said stands at the end.
#   tests/beside.sh DIRECTORY NAME COMMAND …  each command is one argument, its words go to DIRECTORY/NAME.log;
#                                             it ends with the greatest status of all
# Ctrl-C interrupts all: the others have process groups of their own, since a shell's background jobs ignore Ctrl-C else.
set -uo pipefail

directory="$1"
shift
mkdir -p "$directory"
names=() groups=()
while (($# > 2)); do
  set -m
  bash -euo pipefail -c "$2" >"$directory/$1.log" 2>&1 </dev/null &
  set +m
  names+=("$1") groups+=("$!")
  shift 2
done
trap 'for group in "${groups[@]}"; do kill -INT -- "-$group" 2>/dev/null; done' INT TERM

bash -euo pipefail -c "$2"
status=$?
for at in "${!groups[@]}"; do
  wait "${groups[$at]}" || { other=$?; status=$((other > status ? other : status)); }
  echo "==> ${names[$at]}"
  cat "$directory/${names[$at]}.log"
done
exit "$status"
