#!/usr/bin/env bash
# Installs what an example module needs beside Vigil's client into an environment that has that. Every file is pinned by
# its SHA-256.
#   examples/modules/extras.sh NAME ENVIRONMENT [UV]
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
name="$1" environment="$2" uv="${3:-uv}"
build=()
[ ! -f "$here/$name/build.txt" ] || build=(--build-constraints "$here/$name/build.txt")

"$uv" pip install --quiet --python "$environment/bin/python" --require-hashes --no-deps "${build[@]}" \
  -r "$here/$name/requirements.txt"

# Weights that are not used, one of which may not be used by everybody: see faces/requirements.txt.
find "$environment/lib" -path '*/face_recognition_models/models/*' \
  \( -name 'shape_predictor_68_*' -o -name 'mmod_*' \) -delete
