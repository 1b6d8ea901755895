"""`vigil demo`: everything, and a rendered camera that catches fire, in one command."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from vigil.runtime.process.output import unfailing_stdout
from vigil_client.alerts import alert_subject, subscribed
from vigil_client.api import Client
from vigil_client.cloudevents import Alert
from vigil_client.cloudevents import alert as read_alert
from vigil_client.commands.running import console, run, show_notices
from vigil_client.commands.watch import Duration, Svg
from vigil_client.endpoints import DATA_DIR, Endpoints
from vigil_client.errors import BadMessage
from vigil_client.events import Decision, Event
from vigil_client.monitor import Monitor
from vigil_client.options import NewSession, NewSource, NewWatch, source_url
from vigil_client.view import View, save_svg, view_for
from vigil_client.watching import Limits, Show, follow, watched
from vigil_local.commands.progress import Progress
from vigil_local.commands.up import (
    MODEL_DIR,
    EnginePython,
    EngineUrl,
    Model,
    ModelDir,
    PortBase,
    Profile,
    UpDataDir,
    console_line,
)
from vigil_local.errors import Missing, ProcessFailed
from vigil_local.supervisor.layout import inherited
from vigil_local.supervisor.plan import DEMO_VIDEO
from vigil_local.supervisor.stack import UpOptions, running

CAMERA = "demo"
WATCH = NewWatch("Alert me when a fire starts.", "fire", "critical", hold_s=5.0, cooldown_s=10.0)
RENDER_S = 240.0
RENDERERS = "vigil.demo_video"  # the entry-point group by which a package offers a renderer: a module with --out


class Video(NamedTuple):
    """The rendered camera: where it is kept, and whether an earlier run has made it."""

    path: Path
    present: bool


@dataclass(slots=True)
class Delivery:
    """What a plain NATS subscriber received: the alerts, and how long each took from capture to here."""

    latencies_ms: dict[str, float] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)

    def take(self, alert: Alert, received_at: datetime) -> None:
        """Note an alert event; the time counts for the one that opened it."""
        if alert.state == "opened":
            self.opened.add(alert.alert_id)
            self.latencies_ms[alert.alert_id] = (received_at - alert.capture_time).total_seconds() * 1e3
        elif alert.state == "closed":
            self.closed.add(alert.alert_id)

    @property
    def completed(self) -> int:
        """Alerts that were delivered opened and closed."""
        return len(self.opened & self.closed)


@dataclass(slots=True)
class Showing:
    """A demo while it runs: what the view shows, what NATS delivered, when it began (monotonic seconds)."""

    monitor: Monitor
    delivery: Delivery
    started: float
    first_decision: float | None = None

    def shown_in(self, view: View) -> Show:
        """`show`, for `follow`."""
        return lambda _, event: self.show(view, event)

    def show(self, view: View, event: Event | None) -> None:
        """Draw, and note the first decision."""
        if isinstance(event, Decision) and self.first_decision is None:
            self.first_decision = time.monotonic()
        view.update(self.monitor, event)


def demo(
    source: Annotated[str, typer.Option("--source", help="File or address to watch; default: a rendered camera.")] = "",
    alert: Annotated[str, typer.Option("--alert", help="What to alert of.")] = WATCH.text,
    duration: Duration = None,
    svg: Svg = None,
    model_dir: ModelDir = MODEL_DIR,
    engine_url: EngineUrl = "",
    model: Model = "",
    profile: Profile = "vigil-small",
    data_dir: UpDataDir = DATA_DIR,
    port_base: PortBase = 0,
    engine_python: EnginePython = None,
) -> None:
    """Start everything, watch a camera, show what the model decides; Ctrl-C stops all of it.

    With --duration it stops by itself, so many seconds after the camera was turned on, and exits 0 only if an
    alert was delivered on NATS both opened and closed.

    \b
    Examples:
      vigil demo
      vigil demo --duration 90
      vigil demo --source rtsp://camera/stream1 --alert "Alert me when a person falls."
    """
    options = UpOptions(model_dir, engine_url, model, profile, data_dir, port_base, engine_python)
    limits = Limits(duration)
    console.file = unfailing_stdout()
    run(_demo(options, source, alert, limits, svg), if_stopped=not limits.judged)


async def _demo(options: UpOptions, source: str, alert: str, limits: Limits, svg: Path | None) -> bool:
    showing = Showing(Monitor(CAMERA), Delivery(), time.monotonic())
    video = video_in(options.data_dir)
    progress = Progress(console)
    try:
        async with AsyncExitStack() as stack:
            rendering = asyncio.create_task(_source(source, video))
            stack.callback(rendering.cancel)
            with progress:
                vigil = await stack.enter_async_context(running(options, progress.changed, progress.told))
            console.print(f"console  {console_line(vigil.endpoints)}", highlight=False, soft_wrap=True)
            if not rendering.done():
                console.print("rendering the camera's video (on the first run only) …")
            new = NewSession(
                NewSource(await rendering, CAMERA, CAMERA, loop=True),
                watches=(WATCH if alert == WATCH.text else NewWatch(alert, severity=WATCH.severity),),
            )
            await _watch(vigil.endpoints, new, limits, showing, progress)
    finally:
        if svg is not None and showing.monitor.ticks:
            save_svg(svg, [showing.monitor])
        _summary(showing)
    if why := failure(showing.delivery, limits):
        console.print(f"[bold red]{why}[/]")
    return not why


def video_in(data_dir: Path) -> Video:
    """The rendered video of a data directory, which is made if it is not there."""
    directory = data_dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / DEMO_VIDEO
    return Video(path, path.exists())


async def _watch(endpoints: Endpoints, new: NewSession, limits: Limits, showing: Showing, progress: Progress) -> None:
    subject = alert_subject(endpoints.tenant, CAMERA)
    async with (
        Client(endpoints.gateway_url, endpoints.api_key) as client,
        subscribed(endpoints.nats_url, subject) as received,
    ):
        await _end_leftovers(client)
        listening = asyncio.create_task(_listen(received, showing.delivery))
        try:
            async with watched(client, new) as session:
                show_notices(session.notices)
                with view_for(console) as view:
                    progress.tell = lambda line: _tell(showing, view, line)
                    showing.show(view, None)
                    await follow(client, session.id, showing.monitor, limits, showing.shown_in(view))
        finally:
            progress.tell = progress.say
            listening.cancel()


def _tell(showing: Showing, view: View, line: str) -> None:
    showing.monitor.note(line.strip())
    showing.show(view, None)


async def _listen(received: AsyncIterator[bytes], delivery: Delivery) -> None:
    async for payload in received:
        try:
            delivery.take(read_alert(payload), datetime.now(UTC))
        except BadMessage as error:
            console.print(f"[yellow]left out[/]  {escape(error.message)}")


async def _end_leftovers(client: Client) -> None:
    """End the sessions that an earlier demo left open because it was killed."""
    for session in await client.sessions():
        if session.source.id == CAMERA and session.state == "open":
            await client.end_session(session.id)


async def _source(source: str, video: Video) -> str:
    """The address to watch: the one given, else that of the rendered video, which is made on the first run."""
    if source:
        return source_url(source)
    if not video.present:
        await _render(video.path)
    return video.path.as_uri()


async def _render(video: Path) -> None:
    """Render the demo's video; the renderer leaves it whole or not at all. Raises `Missing`, `ProcessFailed`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", renderer(), "--out", str(video)),
        env=inherited(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(RENDER_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = tuple(output.decode(errors="replace").splitlines()[-8:])
        raise ProcessFailed(
            "the demo camera's video could not be rendered", "run `make workspace`, or give --source", lines=lines
        )


def renderer() -> str:
    """The module that renders the demo's video, from a package that is installed beside this one. Raises `Missing`."""
    for offered in entry_points(group=RENDERERS):
        return offered.value
    raise Missing("no package here renders the demo's video", "install vigil-recipe, or give --source")


def _summary(showing: Showing) -> None:
    outcome, delivery = showing.monitor.outcome, showing.delivery
    if showing.first_decision is None:
        return
    tick = "n/a" if outcome.median_latency_ms is None else f"{outcome.median_latency_ms:.0f} ms"
    console.print(
        f"\nfirst decision {showing.first_decision - showing.started:.1f} s after start; "
        f"{outcome.ticks} decisions, {outcome.skipped} frames skipped, median {tick} from capture to decision",
        highlight=False,
        soft_wrap=True,
    )
    for alert_id, latency_ms in delivery.latencies_ms.items():
        end = "opened and closed" if alert_id in delivery.closed else "opened, still open"
        console.print(
            f"alert {alert_id}: {end}; {latency_ms:.0f} ms from capture to delivery on NATS",
            highlight=False,
            soft_wrap=True,
        )


def failure(delivery: Delivery, limits: Limits) -> str:
    """Why a demo that was to last so long has failed; empty when it has not."""
    if not limits.judged or delivery.completed:
        return ""
    seen = "opened but did not close" if delivery.opened else "did not come"
    return f"the alert {seen} in {limits.duration_s:.0f} s"
