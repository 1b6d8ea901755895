#!/usr/bin/env bash
# Makes Docker usable for the container tests: starts a daemon where none runs, and fetches the plugins compose (v2) and
# buildx where they are missing. Nothing is done where all of it is there.
#   tests/containers/dockerd.sh [DIRECTORY]      default: build/docker, for the daemon's log and the packages
# It needs root on Debian with the package docker.io. A dockerd older than 25 knows no `start_interval` of health checks,
# so Debian trixie's takes its place; runc stays the installed one. Ends with 1 and one line that says why when no daemon
# can start.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=deploy/debian-suite.sh
. "$here/../../deploy/debian-suite.sh"
mkdir -p "${1:-build/docker}"
target="$(cd "${1:-build/docker}" && pwd)"
plugins="${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"

die() { echo "no Docker here: $*" >&2; exit 1; }

# Debian trixie's packages, unpacked into a folder of their own: folder, packages.
unpack() {
  local folder="$target/$1"
  shift
  command -v apt-get >/dev/null || die "$* must be installed"
  apt_of "$target" trixie update
  mkdir -p "$folder"
  (cd "$folder" && apt_of "$target" trixie download "$@" && for file in *.deb; do dpkg -x "$file" . && rm "$file"; done)
}

# A plugin of the docker command: its name, its package.
plugin() {
  docker "$1" version >/dev/null 2>&1 && return
  unpack "$1" "$2"
  mkdir -p "$plugins"
  find "$target/$1" -path '*cli-plugins/docker-*' -type f -exec install -t "$plugins" {} +
  docker "$1" version >/dev/null 2>&1 || die "the plugin $1, from Debian's package $2, does not run"
}

daemon() {
  docker info >/dev/null 2>&1 && return
  command -v dockerd >/dev/null || die "no dockerd is installed (on Debian: apt-get install docker.io)"
  [ "$(id -u)" = 0 ] || die "only root can start a daemon, and none answers"
  if [ "$(dockerd --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -lt 25 ]; then
    unpack daemon docker.io containerd
    PATH="$target/daemon/usr/sbin:$target/daemon/usr/bin:$PATH"
  fi
  setsid dockerd >"$target/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    kill -0 $! 2>/dev/null || die "dockerd ended: $(tail -n 1 "$target/dockerd.log")"
    sleep 1
  done
  die "dockerd does not answer after 60 s: see $target/dockerd.log"
}

command -v docker >/dev/null || die "the docker command is not installed"
daemon
plugin buildx docker-buildx
plugin compose docker-compose
echo "Docker $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short), \
$(docker info --format '{{.Driver}}, cgroups {{.CgroupVersion}}')"
