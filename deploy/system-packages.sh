#!/usr/bin/env bash
# Installs what the tests need of the system, on Debian and Ubuntu: `rtsp`, a real RTSP server (GStreamer's, on the
# system's Python), `browser`, Chromium, `prometheus`, Prometheus with promtool, `turn`, coturn, a TURN server, or `sandbox`, bubblewrap,
# in which local commands answer delegated questions. Does nothing where it is there already.
set -euo pipefail

rtsp=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)
browser=(chromium)
prometheus=(prometheus)
sandbox=(bubblewrap)
turn=(coturn)

has_rtsp() {
  /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer' 2>/dev/null &&
    [ -n "$(find /usr/lib -name libgstvideoparsersbad.so -print -quit 2>/dev/null)" ]
}

has_browser() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

has_prometheus() {
  command -v prometheus >/dev/null && command -v promtool >/dev/null
}

has_turn() {
  command -v turnserver >/dev/null
}

has_sandbox() {
  command -v bwrap >/dev/null
}

case "${1:-}" in
  turn) what="coturn"; packages=("${turn[@]}") ;;
  rtsp) what="GStreamer's RTSP server"; packages=("${rtsp[@]}") ;;
  browser) what="Chromium"; packages=("${browser[@]}") ;;
  prometheus) what="Prometheus"; packages=("${prometheus[@]}") ;;
  sandbox) what="bubblewrap"; packages=("${sandbox[@]}") ;;
  *) echo "usage: $0 rtsp|browser|prometheus|turn|sandbox" >&2; exit 2 ;;
esac

"has_$1" && exit 0
echo "==> installing $what for the tests"
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
if ! command -v apt-get >/dev/null; then
  echo "install these with your package manager, then run make again: ${packages[*]}" >&2
  exit 1
fi
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
"has_$1" || { echo "$what still cannot be used" >&2; exit 1; }
