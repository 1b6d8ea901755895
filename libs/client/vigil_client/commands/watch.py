"""`vigil watch`: one source, its alerts, and a live view."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from vigil_client.api import Client
from vigil_client.commands import options, target
from vigil_client.commands.hints import typed
from vigil_client.commands.running import console, run, show_notices
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.monitor import Monitor
from vigil_client.options import (
    Cadence,
    Hearing,
    Memory,
    Modules,
    NewSession,
    NewSource,
    NewWatch,
    Speech,
    Voice,
    Window,
    camera_meant,
    source_url,
)
from vigil_client.values import Session
from vigil_client.view import save_svg, view_for
from vigil_client.watching import Limits, follow, verdict, watched

Alerts = Annotated[
    list[str], typer.Option("--alert", help="What to alert of, in plain words; may be given several times.")
]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="Name of each alert in order; default: made of its words.")
]
Duration = Annotated[float | None, typer.Option("--duration", min=1, help="Stop after so many seconds.")]
Svg = Annotated[Path | None, typer.Option("--svg", help="Write the last picture of the live view to this file.")]

WebRtc = Annotated[
    bool, typer.Option("--webrtc", help="Watch what a browser, OBS or GStreamer publishes, and show where to.")
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Leave the session running and come back; one of this --camera is kept.")
]


PUBLISHING = """publish to  {url}
with your API key as the bearer token:
  OBS        Settings > Stream > Service: WHIP, Server: the address above, Bearer Token: the key
  GStreamer  gst-launch-1.0 v4l2src ! videoconvert ! whipclientsink \\
               signaller::whip-endpoint={url} signaller::auth-token=$VIGIL_API_KEY
  FFmpeg 8   ffmpeg -f v4l2 -i /dev/video0 -c:v libx264 -profile:v baseline -bf 0 -pix_fmt yuv420p -an \\
               -f whip -authorization "$VIGIL_API_KEY" {url}
The session waits ten minutes for its first client. docs/webrtc.md has browsers, ports and firewalls.
"""


class Asked(NamedTuple):
    """A request and how it ends: what `vigil watch` was told, without where to send it."""

    new: NewSession
    limits: Limits
    svg: Path | None


def watches_of(texts: Sequence[str], names: Sequence[str], like: NewWatch) -> tuple[NewWatch, ...]:
    """One watch for each text, else as `like`; the gateway names those that `names` does not. Raises
    `typer.BadParameter` when two would have one name."""
    if len(names) > len(texts):
        raise typer.BadParameter(f"{len(names)} names for {len(texts)} alerts: give one --name for each --alert")
    if len(set(names)) < len(names):
        raise typer.BadParameter(f"two alerts are named alike ({', '.join(names)}): give each its own --name")
    named = [*names, *[None] * (len(texts) - len(names))]
    return tuple(replace(like, name=name, text=text) for name, text in zip(named, texts, strict=True))


def watch(
    alert: Alerts,
    source: Annotated[
        str, typer.Argument(help="A video file, or an rtsp://, http:// or https:// address; none with --webrtc.")
    ] = "",
    webrtc: WebRtc = False,
    name: Names = None,
    severity: options.SeverityOf = options.WATCH.severity,
    hold_s: options.HoldS = options.WATCH.hold_s,
    cooldown_s: options.CooldownS = options.WATCH.cooldown_s,
    update_interval_s: options.UpdateIntervalS = options.WATCH.update_interval_s,
    confirm_s: options.ConfirmS = options.WATCH.confirm_s,
    instruction: options.Instructions = None,
    camera: Annotated[str, typer.Option("--camera", help="Name of the camera, for people and subjects.")] = "",
    loop: Annotated[bool, typer.Option("--loop", help="Start a file again when it ends.")] = False,
    interval_ms: options.IntervalMs = options.CADENCE.interval_ms,
    frames_per_turn: options.FramesPerTurn = options.CADENCE.frames_per_turn,
    chunk_turns: options.ChunkTurns = options.WINDOW.chunk_turns,
    tail_turns: options.TailTurns = options.WINDOW.tail_turns,
    response_mode: options.ResponseMode = options.SPEECH.response_mode,
    duplicate_guard: options.DuplicateGuard = options.SPEECH.duplicate_guard,
    text_temperature: options.TextTemperature = options.SPEECH.text_temperature,
    infer_when_idle: options.InferWhenIdle = True,
    memory: options.MemoryOn = options.MEMORY.is_on,
    mid_blocks: options.MidBlocks = options.MEMORY.mid_blocks,
    long_blocks: options.LongBlocks = options.MEMORY.long_blocks,
    block_tokens: options.BlockTokens = options.MEMORY.block_tokens,
    long_tokens: options.LongTokens = options.MEMORY.long_tokens,
    key_frames: options.KeyFrames = options.MEMORY.key_frames,
    time_zone: options.TimeZone = options.MEMORY.time_zone,
    hearing: options.HearingOn = options.HEARING.is_on,
    hear_source: options.FromSource = options.HEARING.from_source,
    turn_taking: options.TurnTaking = options.HEARING.turn_taking,
    wake_phrase: options.WakePhrase = options.HEARING.wake_phrase,
    hearing_language: options.HearingLanguage = options.HEARING.language,
    voice: options.VoiceOn = options.VOICE.is_on,
    voice_name: options.VoiceName = options.VOICE.name,
    voice_speed: options.Speed = options.VOICE.speed,
    voice_language: options.VoiceLanguage = options.VOICE.language,
    modules: options.ModulesOn = options.MODULES.is_on,
    module: options.ModuleNames = None,
    brain: options.Brain = "",
    profile: options.Profile = None,
    model: options.Model = None,
    duration: Duration = None,
    until_closed: Annotated[bool, typer.Option("--until-closed", help="Stop once an alert opened and closed.")] = False,
    svg: Svg = None,
    detach: Detach = False,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Watch a source and show each decision: · silent, █ speaks, ▲ delegates.

    The session ends when the command does, except with --detach. With --duration or --until-closed the exit status
    is 0 only if an alert opened and closed. Options that are left out are as the gateway has them.

    \b
    Examples:
      vigil watch lobby.mp4 --loop --alert "Alert me when a fire starts." --severity critical --confirm 1
      vigil watch rtsp://user:password@camera/stream1 --camera lobby --alert "Tell me when someone falls."
      vigil watch gate.mp4 --alert "Alert me when the gate opens." --interval-ms 500 --response-mode reserved
      vigil watch test.mp4 --alert "Alert me when the door opens." --until-closed --duration 120
      vigil watch rtsp://camera/stream1 --camera lobby --alert "Tell me when someone falls." --detach
      vigil watch --webrtc --camera desk --alert "Tell me when I leave my desk."
    """
    if detach and (duration is not None or until_closed or svg is not None):
        raise typer.BadParameter("--detach does not wait: leave out --duration, --until-closed and --svg")
    new = NewSession(
        source=source_of(source, webrtc, camera, loop),
        watches=watches_of(
            alert, name or (), NewWatch("", None, severity, hold_s, cooldown_s, update_interval_s, confirm_s)
        ),
        instructions=tuple(instruction or ()),
        profile=profile,
        model=model,
        cadence=Cadence(interval_ms, frames_per_turn),
        window=Window(chunk_turns, tail_turns),
        speech=Speech(response_mode, duplicate_guard, text_temperature),
        memory=Memory(memory, mid_blocks, long_blocks, block_tokens, long_tokens, key_frames, time_zone),
        hearing=Hearing(hearing, hear_source, turn_taking, wake_phrase, hearing_language),
        voice=Voice(voice, voice_name, voice_speed, voice_language),
        modules=Modules(modules, options.modules_named(module or ())),
        infer_when_idle=infer_when_idle,
        brain=brain,
    )
    if detach:
        run(_leave_running(*target.gateway(gateway, api_key, ca_file, data_dir), new))
    asked = Asked(new, Limits(duration, until_closed), svg)
    run(_watch(*target.gateway(gateway, api_key, ca_file, data_dir), asked), if_stopped=not asked.limits.judged)


def source_of(source: str, webrtc: bool, camera: str, loop: bool) -> NewSource:
    """What to watch. Raises `typer.BadParameter` unless it is either a source or what a client publishes."""
    if bool(source) == webrtc:
        raise typer.BadParameter("give a video file or an address to watch, or --webrtc and neither")
    if webrtc and loop:
        raise typer.BadParameter("--loop starts a file again, and --webrtc watches none")
    if webrtc:
        return NewSource(id=source_id(camera), name=camera, kind="webrtc")
    if meant := camera_meant(source):
        raise typer.BadParameter(f"{source} is neither a file here nor an address with a scheme: write {meant}")
    return NewSource(source_url(source), source_id(camera), camera, loop)


def source_id(camera: str) -> str | None:
    """The camera's name as a subject token; None without a name: the gateway then makes one from the address."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", camera).strip("-")[:64] or None


async def _watch(gateway_url: str, api_key: str, ca_file: str, asked: Asked) -> bool:
    monitor = Monitor(asked.new.source.name or "camera")
    try:
        async with Client(gateway_url, api_key, ca_file) as client, watched(client, asked.new) as session:
            monitor.name = session.source.label
            show_notices(session.notices)
            show_publishing(client, session)
            await show_until(client, session.id, monitor, asked.limits)
    finally:
        if asked.svg is not None and monitor.ticks:
            save_svg(asked.svg, [monitor])
    return report(monitor, asked.limits)


async def _leave_running(gateway_url: str, api_key: str, ca_file: str, new: NewSession) -> bool:
    """Open the session, except where an open one watches a source of the same id: that one is kept as it is."""
    async with Client(gateway_url, api_key, ca_file) as client:
        for known in await client.sessions() if new.source.id else ():
            if known.source.id == new.source.id and known.state == "open":
                console.print(f"session {known.id} watches {escape(known.source.label)} already", highlight=False)
                show_publishing(client, known)
                return True
        session = await client.create_session(new)
        show_publishing(client, session)
    show_notices(session.notices)
    ending = typed(f"`vigil sessions end {session.id}`")
    told = f"session {session.id} watches {escape(session.source.label)}; {ending} ends it"
    console.print(told, highlight=False, soft_wrap=True)
    return True


def show_publishing(client: Client, session: Session) -> None:
    """Where and how to publish into a session whose pictures come by WebRTC; nothing for any other. The key is not
    shown: it would stay in the terminal."""
    if session.source.kind != "webrtc":
        return
    url = client.whip_url(session.id)
    console.print(PUBLISHING.format(url=url), markup=False, highlight=False, soft_wrap=True)


async def show_until(client: Client, session_id: str, monitor: Monitor, limits: Limits) -> None:
    """Follow a session in the view that suits the terminal."""
    with view_for(console) as view:
        view.update(monitor, None)
        await follow(client, session_id, monitor, limits, view.update)


def report(monitor: Monitor, limits: Limits) -> bool:
    """Say how it ended; whether that is a success."""
    outcome = monitor.outcome
    succeeded, why = verdict(outcome, limits)
    if outcome.ended_reason:
        console.print(f"the session has ended: {escape(outcome.ended_reason)}")
    console.print(f"[{'green' if succeeded else 'bold red'}]{escape(typed(why))}[/]")
    return succeeded
