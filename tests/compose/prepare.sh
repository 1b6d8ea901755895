#!/usr/bin/env bash
# Makes what the tests of this folder need: the public images (pulled where a registry answers, else stand-ins), those of
# Vigil, and an RTSP camera in a container. What is there already stays, but for Vigil's own images, which are built anew.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python="$(sed -n 's/^ARG PYTHON_IMAGE=//p' deploy/images/Dockerfile)"
for image in "$python" $(sed -n 's/^\(NATS\|REDIS\|HAPROXY\)_IMAGE=//p' deploy/.env); do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" 2>/dev/null || stand_ins=yes
done
[ -z "${stand_ins:-}" ] || tests/containers/stand-ins.sh
[ "${SKIP_IMAGES:-}" ] || deploy/images/build.sh
echo "==> vigil-test-rtsp:1"
DOCKER_BUILDKIT=1 docker build --quiet --build-arg "DEBIAN_IMAGE=$python" --file tests/compose/rtsp/Dockerfile \
  --tag vigil-test-rtsp:1 libs/vigil/vigil/testing >/dev/null
