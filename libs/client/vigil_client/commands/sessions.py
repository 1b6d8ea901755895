"""`vigil sessions` and `vigil ask`."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from vigil_client.api import Client
from vigil_client.commands import options, target
from vigil_client.commands.running import console, run, run_by_default, show_notices, show_table
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.events import roles_line
from vigil_client.strip import clock
from vigil_client.values import Session

TURNS_SHOWN = 20

sessions = typer.Typer(invoke_without_command=True)

SessionId = Annotated[str, typer.Argument(help="Session id, as `vigil sessions list` shows it.")]
Erase = Annotated[bool, typer.Option("--erase", help="Also remove what is kept of it; also of one that has ended.")]
Json = Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")]


@sessions.callback()
def by_default(context: typer.Context) -> None:
    """List, show, change and end sessions; alone it lists them.

    \b
    Examples:
      vigil sessions
      vigil sessions show s-5d0c6b6b4b1f4e7f
      vigil sessions change s-5d0c6b6b4b1f4e7f --response-mode reserved
      vigil sessions end s-5d0c6b6b4b1f4e7f
    """
    if context.invoked_subcommand is None:
        run_by_default(context, "list")


@sessions.command("list")
def list_sessions(
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Json = False,
) -> None:
    """List the open sessions and those that ended a short while ago."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            _show_list(await client.sessions(), as_json)
        return True

    run(work())


@sessions.command()
def show(
    session: SessionId,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Json = False,
) -> None:
    """Show a session: its source, its watches, how far it is, what was said last."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found = await client.session(session)
            if as_json:
                console.print_json(_json(found))
                return True
            watches, turns = await client.watches(session), (await client.history(session, TURNS_SHOWN)).turns
        _show_list((found,), as_json=False)
        if trouble := roles_line(found.status):
            console.print(f"[yellow]{escape(trouble)}[/]", highlight=False)
        show_notices(found.notices)
        _show_options(found)
        for watch in watches:
            waiting = " (waits for the next turn)" if watch.pending else ""
            console.print(f"watch {watch.name} [dim]{watch.id}[/]  {escape(watch.text)}{waiting}")
        for turn in turns:
            console.print(f"{clock(turn.time_s):>8}  {turn.action:<8}  {escape(turn.text)}", highlight=False)
        return True

    run(work())


@sessions.command()
def change(
    session: SessionId,
    interval_ms: options.NewIntervalMs = None,
    frames_per_turn: options.NewFramesPerTurn = None,
    response_mode: options.NewResponseMode = None,
    duplicate_guard: options.NewDuplicateGuard = None,
    text_temperature: options.NewTextTemperature = None,
    infer_when_idle: options.NewInferWhenIdle = None,
    modules: options.NewModulesOn = None,
    module: options.ModuleNames = None,
    brain: options.NewBrain = None,
    hearing: options.NewHearingOn = None,
    turn_taking: options.NewTurnTaking = None,
    wake_phrase: options.NewWakePhrase = None,
    hearing_language: options.NewHearingLanguage = None,
    voice: options.NewVoiceOn = None,
    voice_name: options.NewVoiceName = None,
    voice_speed: options.NewSpeed = None,
    voice_language: options.NewVoiceLanguage = None,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Change how a session is watched while it runs; what is left out stays as it is.

    \b
    Example:
      vigil sessions change s-5d0c6b6b4b1f4e7f --interval-ms 2000 --response-mode reserved
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            changed = await client.change_session(
                session,
                interval_ms=interval_ms,
                frames_per_turn=frames_per_turn,
                response_mode=response_mode,
                duplicate_guard=duplicate_guard,
                text_temperature=text_temperature,
                infer_when_idle=infer_when_idle,
                modules=modules,
                module=None if module is None else options.modules_named(module),
                brain=brain,
                hearing=hearing,
                turn_taking=turn_taking,
                wake_phrase=wake_phrase,
                hearing_language=hearing_language,
                voice=voice,
                voice_name=voice_name,
                voice_speed=voice_speed,
                voice_language=voice_language,
            )
        _show_options(changed)
        return True

    run(work())


@sessions.command()
def end(
    session: SessionId,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    *,
    erase: Erase = False,
) -> None:
    """Stop watching."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            await client.end_session(session, erase=erase)
        console.print(f"session {session} has ended{' and is erased' if erase else ''}")
        return True

    run(work())


def ask(
    session: SessionId,
    question: Annotated[str, typer.Argument(help="What to ask about what the camera shows.")],
    brain: Annotated[
        str, typer.Option("--brain", help="Brain that answers it if the model delegates it; default: the session's.")
    ] = "",
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Ask the model about what it sees; the answer appears in `vigil watch` and `vigil subscribe utterances`.

    \b
    Example:
      vigil ask s-5d0c6b6b4b1f4e7f "What do you see?"
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            query = await client.ask(session, question, brain=brain)
        console.print(f"asked ({query}): the model sees the question with its next frame")
        return True

    run(work())


def _show_list(found: tuple[Session, ...], as_json: bool) -> None:
    if as_json:
        console.print_json(_json(found))
        return
    if not found:
        console.print('no sessions; start one with: vigil watch SOURCE --alert "Alert me when …"')
        return
    table = Table(box=None, header_style="dim")
    for title in ("session", "state", "camera", "source", "model", "since"):
        table.add_column(title, no_wrap=title in ("session", "state", "since"), overflow="fold")
    for session in found:
        table.add_row(
            session.id,
            session.state,
            escape(session.source.label),
            escape(session.source.url),
            session.model,
            f"{session.created_at.astimezone():%m-%d %H:%M:%S}",
        )
    show_table(table)


def _show_options(session: Session) -> None:
    """The options of a session, one group a line."""
    for group in (session.cadence, session.window, session.speech, session.memory, session.modules):
        shown = (f"{name.replace('_', '-')} {value}" for name, value in asdict(group).items())
        console.print(f"[dim]{type(group).__name__.lower():<8}[/]  {'  '.join(shown)}", highlight=False)


def _json(found: Session | tuple[Session, ...]) -> str:
    return msgspec.json.encode(found).decode()
