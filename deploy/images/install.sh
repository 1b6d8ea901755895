#!/bin/sh
# Installs packages of the workspace, and what they need by uv.lock, into /opt/vigil. It runs while an image is built:
# the sources are mounted at /src, uv's cache at /cache. The arguments are those of `uv sync`.
set -eu

export UV_PROJECT_ENVIRONMENT=/opt/vigil UV_CACHE_DIR=/cache UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt # the authorities that the base image trusts

began="$(mktemp)"
cd /src
/tools/bin/uv sync --quiet --frozen --no-dev --no-editable --compile-bytecode "$@"

# Extension modules lose their symbols for debuggers. A file of an earlier layer stays as it is: a layer that changes a
# file holds a second copy of it. The libraries in folders like pillow.libs were rewritten by their packagers, and stay.
find /opt/vigil -name '*.so' -not -path '*.libs/*' -cnewer "$began" \
  -exec env LD_LIBRARY_PATH=/tools/lib /tools/bin/strip --strip-debug {} +
# The tests of packages, which nobody runs there: 17 MB of numpy's alone.
find /opt/vigil/lib -type d -name tests -cnewer "$began" -prune -exec rm -r {} +
rm "$began"
