#!/usr/bin/env bash
# Builds images from deploy/images/Dockerfile, each as ${VIGIL_REGISTRY}vigil-TARGET:${VIGIL_VERSION}, and says their
# sizes.
#   deploy/images/build.sh [TARGET...]       default: all of them but the example modules
# Variables (all optional): VIGIL_REGISTRY (a prefix that ends with /), VIGIL_VERSION (that of the workspace),
# PYTHON_IMAGE and TORCH_INDEX_URL (arguments of the Dockerfile), BUILD_OPTIONS (more options of `docker build`).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
all=(gateway gateway-agents ingestion codec interaction memory brain asr tts webhook provision cli model-small engine-cpu)
modules=(module-zones module-text module-faces module-mqtt)
version="${VIGIL_VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)}"
targets=("$@")
[ $# -gt 0 ] || targets=("${all[@]}")

die() { echo "build.sh: $*" >&2; exit 1; }

for target in "${targets[@]}"; do
  [[ " ${all[*]} ${modules[*]} " == *" $target "* ]] ||
    die "there is no image $target; there are: ${all[*]} ${modules[*]}"
done
docker info >/dev/null 2>&1 || die "no Docker daemon answers: start one, or name one with DOCKER_HOST"
[[ " ${targets[*]} " != *" gateway"* ]] || [ -f console/dist/index.html ] ||
  die "the gateway's image holds the web console, which is not built: run \`make console\`"

labels=(--label "org.opencontainers.image.version=$version")
if commit="$(git rev-parse HEAD 2>/dev/null)"; then
  labels+=(--label "org.opencontainers.image.revision=$commit")
  labels+=(--label "org.opencontainers.image.created=$(git log -1 --format=%cI)")
fi
arguments=()
for name in PYTHON_IMAGE TORCH_INDEX_URL; do
  [ -z "${!name:-}" ] || arguments+=(--build-arg "$name=${!name}")
done

quiet=()
[ -t 2 ] || quiet=(--quiet) # progress is for those who watch it; errors are always shown

table=
for target in "${targets[@]}"; do
  image="${VIGIL_REGISTRY:-}vigil-$target:$version"
  echo "==> $image"
  began=$SECONDS
  # shellcheck disable=SC2086  BUILD_OPTIONS are several words
  DOCKER_BUILDKIT=1 docker build "${quiet[@]}" --file deploy/images/Dockerfile --target "$target" --tag "$image" \
    "${labels[@]}" "${arguments[@]}" ${BUILD_OPTIONS:-} . >/dev/null
  table+="$(printf '%-40s %6d MB %6d s' "$image" \
    $(($(docker image inspect --format '{{.Size}}' "$image") / 1000000)) $((SECONDS - began)))"$'\n'
done
printf '%-40s %9s %8s\n%s' image size "built in" "$table"
