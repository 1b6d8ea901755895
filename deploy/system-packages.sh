#!/usr/bin/env bash
# The RTSP tests run a real RTSP server, GStreamer's, on the system's Python. Installs it on Debian and Ubuntu.
set -euo pipefail

packages=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)

has_server() {
  /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer' 2>/dev/null &&
    [ -n "$(find /usr/lib -name libgstvideoparsersbad.so -print -quit 2>/dev/null)" ]
}

has_server && exit 0
echo "==> installing GStreamer's RTSP server for the tests"
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
if ! command -v apt-get >/dev/null; then
  echo "install these with your package manager, then run make test again: ${packages[*]}" >&2
  exit 1
fi
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
has_server || { echo "GStreamer's RTSP server still cannot be loaded by /usr/bin/python3" >&2; exit 1; }
