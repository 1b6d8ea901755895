"""A real RTSP camera for tests: GStreamer's server, run by the system's Python, killed and restarted at will."""

import asyncio
import contextlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
_START_S = 60.0
_BINDINGS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def available() -> bool:
    """Whether this machine has GStreamer's RTSP server and its bindings."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return False
    return (
        subprocess.run([SYSTEM_PYTHON, "-c", _BINDINGS], capture_output=True, check=False, timeout=30).returncode == 0
    )


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a camera: the speed of its clock, which is set every so many seconds by so many, and the
    share of its pictures that are lost on the way."""

    speed: float = 1.0
    step_every_s: float = 0.0
    step_by_s: float = 0.0
    loss: float = 0.0

    @property
    def arguments(self) -> list[str]:
        """Of the server."""
        steps = ["--step-every", f"{self.step_every_s}", f"--step-by={self.step_by_s}"]
        return ["--speed", f"{self.speed}", *steps, "--loss", f"{self.loss}"]


class RtspServer:
    """Serves `file` (MP4 with H.264) in a loop at `url`, from one port over restarts; with `udp` by UDP alone, and with
    a tone of `sound_hz`.

    `file` and `wrong` may be changed while it does not run.
    """

    def __init__(
        self,
        file: Path,
        user: str = "",
        password: str = "",
        udp: bool = False,
        wrong: Wrong | None = None,
        sound_hz: int = 0,
    ) -> None:
        self.wrong = wrong or Wrong()
        self.file = file
        self.port = 0
        self._login = ["--user", user, "--password", password] if user else []
        self._transport = ["--udp"] if udp else []
        self._sound = ["--sound", f"{sound_hz}"]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"rtsp://127.0.0.1:{self.port}/cam"

    async def start(self) -> None:
        """Start and wait until it serves. Raises `RuntimeError` when it does not."""
        self._process = await asyncio.create_subprocess_exec(
            SYSTEM_PYTHON,
            str(SCRIPT),
            *("--file", str(self.file), "--port", str(self.port)),
            *self._login,
            *self._transport,
            *self._sound,
            *self.wrong.arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        if self._process.stdout is None:
            raise RuntimeError("the RTSP server has no standard output")
        line = await asyncio.wait_for(self._process.stdout.readline(), _START_S)
        if not line.startswith(b"ready "):
            raise RuntimeError(f"the RTSP server did not start: {line.decode(errors='replace')!r}")
        self.port = int(line.split()[1])

    async def kill(self) -> None:
        """End it the hard way, as a power cut would. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


class Camera(Protocol):
    """A fixture that starts cameras; `user` and `password` protect one, `udp` sends by UDP alone, `sound_hz` is the
    tone that it hears."""

    async def __call__(
        self, user: str = "", password: str = "", udp: bool = False, sound_hz: int = 0
    ) -> RtspServer: ...
