#!/bin/sh
# Installs an example module's own packages beside the client, and proves that they can be imported:
#   install-module.sh NAME [PACKAGE...]
# It runs while an image is built: the sources are mounted at /src, uv's cache at /cache.
set -eu

export UV_CACHE_DIR=/cache UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
name="$1" && shift
bash /src/examples/modules/extras.sh "$name" /opt/vigil /tools/bin/uv
for package in vigil_client.modules "$@"; do
  PYTHONDONTWRITEBYTECODE='' python -c "import $package"
done
