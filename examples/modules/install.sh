#!/usr/bin/env bash
# Makes the environment of an example module, or does nothing when it is as it should be.
#   examples/modules/install.sh NAME [UV]       NAME: zones, text, faces, mqtt; into build/modules/NAME
# `broker` and `pictures` are what the tests of mqtt and faces need: a broker, and portraits in the public domain.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
name="${1:-}" uv="${2:-uv}"
target="$root/build/modules/$name"
stamp="$target/.vigil-installed"

say() { echo "==> module $name: $*"; }
die() { echo "install.sh: $*" >&2; exit 1; }

case "$name" in
  zones | text | faces | mqtt) files=("$here/$name"/*.txt "$root/uv.lock") ;;
  broker) files=("$here/mqtt/requirements-broker.txt") ;;
  pictures) files=("$here/faces/requirements-pictures.txt") ;;
  *) die "there is no module ${name:-without a name}; there are: zones text faces mqtt" ;;
esac
wanted="$(cat "${files[@]}" "$here/install.sh" "$here/extras.sh" | sha256sum | cut -d' ' -f1)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  say "environment is up to date"
  exit 0
fi

say "installing into build/modules/$name"
mkdir -p "$target"
case "$name" in
  broker)
    "$uv" venv --quiet --allow-existing "$target"
    "$uv" pip install --quiet --python "$target/bin/python" --require-hashes --no-deps -r "${files[0]}"
    ;;
  pictures)
    "$uv" pip install --quiet --target "$target/packages" --require-hashes --no-deps -r "${files[0]}"
    find "$target/packages" -name grace_hopper.jpg -o -name astronaut.png | xargs -I{} mv {} "$target/"
    rm -rf "$target/packages"
    ;;
  *)
    UV_PROJECT_ENVIRONMENT="$target" "$uv" sync --quiet --frozen --no-dev --inexact --package vigil-client \
      --project "$root"
    "$here/extras.sh" "$name" "$target" "$uv"
    ;;
esac
echo "$wanted" >"$stamp"
say "done"
