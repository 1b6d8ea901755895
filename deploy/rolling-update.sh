#!/usr/bin/env bash
# Replace the containers of a service by new ones, of the image that deploy/.env (or VIGIL_VERSION) names now, without a
# pause: as many new ones are started beside the old, and when they are healthy the old ones are told to drain.
#   deploy/rolling-update.sh SERVICE...            ingestion, codec, interaction, memory, brain, gateway
# Variables (all optional): COMPOSE, the command with all its files (docker compose -f deploy/compose.yaml);
# REPLICAS, how many there are in the end (as many as there are now).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
read -r -a compose <<<"${COMPOSE:-docker compose -f $here/compose.yaml}"

die() { echo "rolling-update.sh: $*" >&2; exit 1; }

containers() { "${compose[@]}" ps --quiet "$1"; }

# Start as many containers as there should be in the end beside the old ones, and wait until all are healthy.
start_new() {
  "${compose[@]}" up --detach --no-deps --no-recreate --wait --wait-timeout 300 --scale "$1=$2" "$1" ||
    die "the new containers of $1 did not become healthy: ${compose[*]} logs $1. The old ones still run"
}

# A new release may have streams of its own, and no service may change one.
update_streams() {
  "${compose[@]}" run --rm --no-deps -T streams || die "the streams could not be brought up to date. Nothing was replaced"
}

[ $# -gt 0 ] || die "which service? ingestion, codec, interaction, memory, brain or gateway"
update_streams
for service in "$@"; do
  case "$service" in
    ingestion | codec | interaction | memory | brain | gateway) ;;
    *) die "$service has one container: ${compose[*]} up -d --no-deps $service" ;;
  esac
  mapfile -t old < <(containers "$service")
  [ ${#old[@]} -gt 0 ] || die "$service does not run: ${compose[*]} up -d"
  replicas="${REPLICAS:-${#old[@]}}"
  echo "==> $service: ${#old[@]} old, $replicas new"
  start_new "$service" $((${#old[@]} + replicas))
  for container in "${old[@]}"; do
    docker stop --time 30 "$container" >/dev/null # SIGTERM: it hands its sessions over and ends
    docker rm "$container" >/dev/null
  done
done
