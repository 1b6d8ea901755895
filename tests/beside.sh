#!/usr/bin/env bash
# Run two commands side by side; what the first one says stands at the end, below the words of the second.
#   tests/beside.sh LOG FIRST SECOND          each command is one argument; it fails when either of them does
# Ctrl-C interrupts both: FIRST has a process group of its own, since a shell's background jobs ignore Ctrl-C else.
set -uo pipefail

log="$1"
mkdir -p "$(dirname "$log")"
set -m
bash -euo pipefail -c "$2" >"$log" 2>&1 </dev/null &
first=$!
set +m
trap 'kill -INT -- "-$first" 2>/dev/null' INT TERM

bash -euo pipefail -c "$3"
status=$?
wait "$first" || status=$?
cat "$log"
exit "$status"
