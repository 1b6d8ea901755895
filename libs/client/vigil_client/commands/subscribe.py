"""`vigil subscribe`: what downstream systems hear."""

import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from vigil_client import cloudevents, speech
from vigil_client.alerts import alert_subject, speech_subject, subscribed, transcript_subject, utterance_subject
from vigil_client.commands import target
from vigil_client.commands.running import console, run, stderr
from vigil_client.commands.target import CaFile, DataDir, Nats
from vigil_client.endpoints import DATA_DIR
from vigil_client.errors import BadMessage
from vigil_client.view import alert_line, speech_line, transcript_line

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
MOST_S = 36_500 * _SECONDS["d"]

Write = Callable[[bytes], str]


class Topic(StrEnum):
    """What can be subscribed to."""

    ALERTS = "alerts"
    UTTERANCES = "utterances"
    TRANSCRIPTS = "transcripts"
    SPEECH = "speech"


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `1h`, `2d`, at most a hundred years. Raises `typer.BadParameter`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 90s, 15m, 1h or 2d")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > MOST_S:
        raise typer.BadParameter(f"{text!r} is longer than a hundred years: give less")
    return timedelta(seconds=seconds)


def subscribe(
    topic: Annotated[Topic, typer.Argument(help="What to listen to.")],
    tenant: Annotated[
        str, typer.Option("--tenant", help="Tenant whose events to hear; default: that of the `vigil up` here.")
    ] = "",
    source: Annotated[str, typer.Option("--source", help="Only this camera's (its source id).")] = "*",
    since: Annotated[
        timedelta | None, typer.Option("--since", parser=duration, metavar="1h", help="Begin this long ago.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each CloudEvent as it is, one a line.")] = False,
    nats: Nats = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Print alerts, utterances, transcripts or speech as they are published, until Ctrl-C.

    Transcripts are what was said to sessions, speech what they spoke aloud. What is still being said is told by
    `vigil listen SESSION`.

    \b
    Examples:
      vigil subscribe alerts
      vigil subscribe alerts --since 1h --json | jq .data.text
      vigil subscribe utterances --source lobby
      vigil subscribe transcripts --since 15m
      vigil subscribe speech --json | jq .data.heard
    """
    place, of = target.nats(nats, ca_file, data_dir), tenant or target.tenant(data_dir)
    write: Write
    match topic:
        case Topic.ALERTS:
            subject, write = alert_subject(of, source), _alert
        case Topic.UTTERANCES:
            subject, write = utterance_subject(of), _utterance_of(source)
        case Topic.TRANSCRIPTS:
            subject, write = transcript_subject(of), _transcript_of(source)
        case Topic.SPEECH:
            subject, write = speech_subject(of), _speech_of(source)
    run(_print(place, subject, since, _as_json(write) if as_json else write))


async def _print(place: tuple[str, str], subject: str, since: timedelta | None, write: Write) -> bool:
    nats_url, ca_file = place
    async with subscribed(nats_url, subject, since, _show_fault, ca_file) as received:
        stderr.print(
            f"[dim]listening on {escape(subject)} at {escape(nats_url.rpartition('@')[2])}; Ctrl-C ends[/]",
            highlight=False,
        )
        async for payload in received:
            try:
                line = write(payload)
            except BadMessage as error:
                stderr.print(f"[yellow]left out[/]  {escape(error.message)}")
                continue
            if line:
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    return True


def _show_fault(fault: str) -> None:
    stderr.print(f"[yellow]fault[/]  {escape(fault)}" if fault else "[green]fault ended[/]", highlight=False)


def _alert(payload: bytes) -> str:
    alert = cloudevents.alert(payload)
    return f"{alert.tenant}/{alert.source_name}  {alert_line(alert)}"


def _utterance_of(source: str) -> Write:
    def write(payload: bytes) -> str:
        said = cloudevents.utterance(payload)
        if source not in ("*", said.source_id):
            return ""
        when = f"{said.emit_time.astimezone():%H:%M:%S}"
        return f"{said.tenant}/{said.source_id}  {when}  {said.action:<8}  {said.text!r}"

    return write


def _transcript_of(source: str) -> Write:
    def write(payload: bytes) -> str:
        said = speech.transcript(payload)
        return f"{said.tenant}/{said.source_id}  {transcript_line(said)}" if source in ("*", said.source_id) else ""

    return write


def _speech_of(source: str) -> Write:
    def write(payload: bytes) -> str:
        news = speech.speech(payload)
        return f"{news.tenant}/{news.source_id}  {speech_line(news)}" if source in ("*", news.source_id) else ""

    return write


def _as_json(write: Write) -> Write:
    """What `write` would print, as the CloudEvent it came from."""
    return lambda payload: payload.decode() if write(payload) else ""
