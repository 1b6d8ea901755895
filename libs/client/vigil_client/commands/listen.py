"""`vigil listen`: what is said to a session and what it speaks aloud, live."""

import json
from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.printable import printable
from vigil_client.commands.running import console, run, stderr
from vigil_client.commands.sessions import SessionId
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.events import Connection, Lifecycle
from vigil_client.sound import Activity, SoundEvent, SpokenSound
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.view import speech_line, transcript_line


def listen(
    session: SessionId,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what comes as JSON, one object a line: its type and its data.")
    ] = False,
) -> None:
    """Print what is said to a session and what it speaks aloud, live, until the session ends or Ctrl-C.

    What is said is shown while it is said, then with what became of it: query (a question of the session),
    not_addressed, echo (its own voice), noise, filler or refused. The session must hear or speak:
    `vigil watch --hearing --voice` opens one.

    \b
    Examples:
      vigil listen s-5d0c6b6b4b1f4e7f
      vigil listen s-5d0c6b6b4b1f4e7f --json | jq 'select(.type == "transcript") | .data.data.text'
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            with ExitStack() as stack:
                shown = JsonLines() if as_json else Lines(stack)
                async for event in client.listen(session):
                    shown.show(event)
                    if isinstance(event, Lifecycle) and event.ended:
                        return True
        return True

    run(work())


class Lines:
    """A line for each event. On a terminal what is still being said stands below them and changes in its place."""

    def __init__(self, stack: ExitStack) -> None:
        self._live = (
            stack.enter_context(Live(Text(), console=console, auto_refresh=False, transient=True))
            if console.is_terminal
            else None
        )

    def show(self, event: SoundEvent) -> None:
        """Print it, where it is worth a line."""
        match event:
            case Transcript(is_final=False) if self._live is not None:
                self._live.update(Text(f"… {printable(event.text)}", "dim"), refresh=True)
            case Transcript():
                if self._live is not None:
                    self._live.update(Text(), refresh=True)
                _print(transcript_line(event))
            case SpeechNews():
                _print(speech_line(event))
            case Lifecycle() if event.ended:
                _print(f"session ended: {event.reason}")
            case Connection(connected=connected, reason=reason):
                note = "listening; Ctrl-C ends" if connected else f"connection lost: {reason}; trying again"
                stderr.print(note, style="dim", markup=False, highlight=False, soft_wrap=True)
            case _:
                return


class JsonLines:
    """A JSON object for each event; sound has none."""

    def show(self, event: SoundEvent) -> None:
        """Print it."""
        match event:
            case Transcript():
                self._print("transcript", event.raw)
            case SpeechNews():
                self._print("speech", event.raw)
            case Activity():
                told = {"state": event.state, "time": event.time.isoformat(), "origin": event.origin}
                self._print("activity", told)
            case Lifecycle():
                self._print("session", {"event": event.kind, "reason": event.reason})
            case Connection() | SpokenSound():
                return

    def _print(self, kind: str, data: Any) -> None:
        line = json.dumps({"type": kind, "data": data}, ensure_ascii=False)
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _print(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
