"""A real RTSP camera for tests: serves a video file in a loop as H.264.

Run by the system's Python, which has the GStreamer bindings, as a process of its own, so that a test can kill it:

    /usr/bin/python3 rtsp_server.py --file scene.mp4 [--host 127.0.0.1] [--port 8554] [--user name --password secret]
        [--udp] [--sound 700] [--speed 0.98] [--step-every 60 --step-by -3] [--loss 0.05]

Prints `ready <port>` once it serves rtsp://127.0.0.1:<port>/cam, to each client from the file's start (a media that
clients share may be taken down by one that leaves while another arrives). Port 0 takes a free one. The file must hold
H.264: its pictures are sent as they are. With `--udp` RTP over TCP is refused. `--sound` adds a tone of so many hertz,
as G.711. `--speed` is that of the camera's clock, which is set by `--step-by` seconds every `--step-every` seconds;
`--loss` is the share of coded pictures that are lost.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]  # of the system, not of the workspace

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402  versions are chosen first

PATH = "/cam"
PICTURES = "video/x-h264,stream-format=byte-stream,alignment=au"
PARSE = "h264parse config-interval=-1"
LAUNCH = f"appsrc name=source is-live=true format=time ! {PARSE} ! rtph264pay name=pay0 pt=96"
SOUND = "appsrc name=sound is-live=true format=time ! rtppcmupay name=pay1 pt=0"
HEARD = "audio/x-mulaw,rate=8000,channels=1"


class LoopingFile:
    """Feeds a media's appsrc with the file's coded pictures at the file's own speed, for ever."""

    def __init__(self, file: Path, speed: float, step_every_s: float, step_by_s: float, loss: float) -> None:
        self._file = file
        self._speed = speed
        self._step_every_s = step_every_s
        self._step_by_s = step_by_s
        self._loss = loss

    def attach(self, _factory: Any, media: Any) -> None:
        """Called for each new media: play the file into its source."""
        source = media.get_element().get_child_by_name("source")
        source.set_property("caps", Gst.Caps.from_string(PICTURES))
        player = Gst.parse_launch(
            f'filesrc location="{self._file}" ! qtdemux ! {PARSE} ! {PICTURES} '
            "! appsink name=sink emit-signals=true sync=true max-buffers=4"
        )
        player.get_by_name("sink").connect("new-sample", self._forward, source, time.monotonic_ns())
        bus = player.get_bus()
        bus.add_signal_watch()
        bus.connect("message::eos", lambda *_: self._rewind(player))
        bus.connect("message::error", lambda _bus, message: print(f"player: {message.parse_error()}", flush=True))  # noqa: T201
        media.connect("unprepared", lambda _media: player.set_state(Gst.State.NULL))
        player.set_state(Gst.State.PLAYING)

    def _forward(self, sink: Any, source: Any, start_ns: int) -> Any:
        buffer = sink.emit("pull-sample").get_buffer().copy()
        buffer.pts = buffer.dts = self._stamp_ns(time.monotonic_ns() - start_ns)
        if random.random() >= self._loss:
            source.emit("push-buffer", buffer)  # refused while the media changes state: lost, as on the air
        return Gst.FlowReturn.OK

    def _stamp_ns(self, sent_ns: int) -> int:
        """The time of sending by the camera's clock: the loop has no seam."""
        steps = sent_ns / 1e9 // self._step_every_s if self._step_every_s else 0
        return max(int(sent_ns * self._speed + steps * self._step_by_s * 1e9), 0)

    @staticmethod
    def _rewind(player: Any) -> None:
        player.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)


class Tone:
    """Feeds a media's second appsrc with a tone of so many hertz, for ever."""

    def __init__(self, hertz: int) -> None:
        self._hertz = hertz

    def attach(self, _factory: Any, media: Any) -> None:
        """Called for each new media: sound into it."""
        source = media.get_element().get_child_by_name("sound")
        source.set_property("caps", Gst.Caps.from_string(HEARD))
        player = Gst.parse_launch(
            f"audiotestsrc is-live=true samplesperbuffer=160 freq={self._hertz} ! audio/x-raw,rate=8000,channels=1 "
            "! mulawenc ! appsink name=sink emit-signals=true sync=true max-buffers=4"
        )
        player.get_by_name("sink").connect("new-sample", self._forward, source, itertools.count())
        media.connect("unprepared", lambda _media: player.set_state(Gst.State.NULL))
        player.set_state(Gst.State.PLAYING)

    @staticmethod
    def _forward(sink: Any, source: Any, number: Iterator[int]) -> Any:
        buffer = sink.emit("pull-sample").get_buffer().copy()
        buffer.pts = buffer.dts = next(number) * Gst.SECOND // 50
        source.emit("push-buffer", buffer)
        return Gst.FlowReturn.OK


def protect(server: Any, factory: Any, user: str, password: str) -> None:
    """Ask every client for this name and password (digest authentication)."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="Serves a video file in a loop over RTSP.")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--step-every", type=float, default=0.0)
    parser.add_argument("--step-by", type=float, default=0.0)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--sound", type=int, default=0)
    parser.add_argument("--udp", action="store_true", help="offer RTP over UDP alone, and refuse TCP")
    arguments = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(arguments.host)
    server.set_service(str(arguments.port))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {LAUNCH} {SOUND if arguments.sound else ''} )")
    file = LoopingFile(arguments.file, arguments.speed, arguments.step_every, arguments.step_by, arguments.loss)
    factory.connect("media-configure", file.attach)
    if arguments.sound:
        factory.connect("media-configure", Tone(arguments.sound).attach)
    if arguments.udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if arguments.user:
        protect(server, factory, arguments.user, arguments.password)
    server.get_mount_points().add_factory(PATH, factory)
    if not server.attach(None):
        raise SystemExit(f"port {arguments.port} is in use: choose another with --port")
    print(f"ready {server.get_bound_port()}", flush=True)  # noqa: T201 - what the test waits for
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
