"""The gateway's REST API, asynchronous and typed."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp

from vigil_client.alert_calls import Alerts
from vigil_client.approvals import Approvals
from vigil_client.backoff import Backoff
from vigil_client.errors import Unavailable, Unreachable
from vigil_client.events import Connection, Event, read_event
from vigil_client.memory import Memories
from vigil_client.options import NewObservation, NewSession, NewWatch, as_body
from vigil_client.sound import SoundEvent, listened
from vigil_client.speech import TranscriptPage
from vigil_client.sse import Parser, ServerEvent
from vigil_client.tasks import Tasks
from vigil_client.transport import Transport
from vigil_client.turns import Prompt, TurnPage
from vigil_client.values import (
    Accepted,
    ApiKey,
    AuditPage,
    Health,
    History,
    Instruction,
    Session,
    T,
    Voices,
    Watch,
    read,
)
from vigil_client.wall import WallEvent, read_wall_event

E = TypeVar("E")

# Creating a session opens the camera first, so it takes longer than other calls.
CREATE_S = 45.0
# The gateway sends a heartbeat more often than this; a stream that is silent for longer is dead.
SILENT_STREAM_S = 60.0


class Client:
    """A tenant's view of one gateway. Use it as an async context manager.

    Every call raises `Unreachable` when nothing answers, else a `Refused` that says what was wrong and what to do.
    Behind an `https://` address the gateway's certificate must be of an authority of the system, or of one
    in `ca_file` (PEM).
    """

    def __init__(self, gateway_url: str, api_key: str, ca_file: str = "", timeout_s: float = 15.0) -> None:
        self._gateway = Transport(gateway_url, api_key, ca_file, timeout_s)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._gateway.close()

    async def create_session(self, new: NewSession) -> Session:
        """Watch a source. A source that cannot be opened is `Invalid` with the fault as its message."""
        return read(Session, await self._gateway.call("POST", "/v1/sessions", as_body(new), timeout_s=CREATE_S))

    async def sessions(self) -> tuple[Session, ...]:
        """The tenant's sessions: the open ones and those that ended a short while ago."""
        return await self._list(Session, "/v1/sessions", "sessions")

    async def session(self, session_id: str) -> Session:
        """One session, how far it is, and what each role says of it."""
        return read(Session, await self._gateway.call("GET", _session(session_id)))

    async def change_session(
        self,
        session_id: str,
        *,
        interval_ms: int | None = None,
        frames_per_turn: int | None = None,
        response_mode: str | None = None,
        duplicate_guard: str | None = None,
        text_temperature: float | None = None,
        hearing: bool | None = None,
        turn_taking: str | None = None,
        wake_phrase: str | None = None,
        hearing_language: str | None = None,
        voice: bool | None = None,
        voice_name: str | None = None,
        voice_speed: float | None = None,
        voice_language: str | None = None,
        infer_when_idle: bool | None = None,
        modules: bool | None = None,
        module: Sequence[str] | None = None,
        brain: str | None = None,
    ) -> Session:
        """Change what may change while the session runs; what is None stays as it is. `hearing` says whether it is
        spoken to, `voice` whether it speaks aloud, `modules` whether the model is told of modules, `module` of which:
        of all when it is empty."""
        cadence = _given(interval_ms=interval_ms, frames_per_turn=frames_per_turn)
        speech = _given(response_mode=response_mode, duplicate_guard=duplicate_guard, text_temperature=text_temperature)
        heard = _given(is_on=hearing, turn_taking=turn_taking, wake_phrase=wake_phrase, language=hearing_language)
        spoken = _given(is_on=voice, name=voice_name, speed=voice_speed, language=voice_language)
        told = _given(is_on=modules, names=None if module is None else list(module))
        groups = {"cadence": cadence, "speech": speech, "hearing": heard, "voice": spoken, "modules": told}
        change = {name: group for name, group in groups.items() if group}
        change |= _given(infer_when_idle=infer_when_idle, brain=brain)
        return read(Session, await self._gateway.call("PATCH", _session(session_id), change))

    async def end_session(self, session_id: str, *, erase: bool = False) -> None:
        """Stop watching. The history stays readable for an hour; with `erase` it is removed within a minute, and the
        pictures of alerts and the files of brains at once. A session that has ended can be erased, too."""
        await self._gateway.call("DELETE", _session(session_id) + ("?erase=true" if erase else ""))

    def whip_url(self, session_id: str) -> str:
        """Where a client publishes into a session of the kind "webrtc", by WHIP with this client's key as its bearer
        token."""
        return f"{self._gateway.gateway_url}{_session(session_id)}/whip"

    async def reset_session(self, session_id: str) -> None:
        """Forget the history; instructions and watches stay."""
        await self._gateway.call("POST", f"{_session(session_id)}/reset")

    async def ask(self, session_id: str, question: str, *, brain: str = "") -> str:
        """Ask about what the camera shows; the id of the query. The answer comes as an event of the session. If the
        model delegates the question, `brain` answers it; empty: the session's."""
        return await self._tell("POST", f"{_session(session_id)}/queries", _told(question, brain))

    async def observe(self, session_id: str, seen: NewObservation) -> str:
        """Tell the session what a module of yours noticed; its id. It is data for the model's next turn. Modules that
        see pictures use `vigil_client.modules`. Raises `Invalid` (its `kind` is `not_heard`) for a session whose
        options leave that module out."""
        return await self._tell("POST", f"{_session(session_id)}/observations", as_body(seen))

    async def instructions(self, session_id: str) -> tuple[Instruction, ...]:
        """Standing instructions, without watches."""
        return await self._list(Instruction, f"{_session(session_id)}/instructions", "instructions")

    async def instruct(self, session_id: str, text: str, *, brain: str = "") -> str:
        """Add a standing instruction; its id. `brain` answers what is delegated under it; empty: the session's."""
        return await self._tell("POST", f"{_session(session_id)}/instructions", _told(text, brain))

    async def replace_instruction(self, session_id: str, instruction_id: str, text: str, *, brain: str = "") -> None:
        """Let the model forget a standing instruction and give it this one, under the same id."""
        await self._tell("PUT", _standing(session_id, "instructions", instruction_id), _told(text, brain))

    async def clear_instruction(self, session_id: str, instruction_id: str) -> None:
        """Take a standing instruction back."""
        await self._tell("DELETE", _standing(session_id, "instructions", instruction_id))

    async def watches(self, session_id: str) -> tuple[Watch, ...]:
        """Standing instructions that raise alerts."""
        return await self._list(Watch, f"{_session(session_id)}/watches", "watches")

    async def watch(self, session_id: str, watch: NewWatch) -> str:
        """Add a watch; its id."""
        return await self._tell("POST", f"{_session(session_id)}/watches", as_body(watch))

    async def replace_watch(self, session_id: str, watch_id: str, watch: NewWatch) -> None:
        """Replace a watch, all of it: what is not given in `watch` has its default again."""
        await self._tell("PUT", _standing(session_id, "watches", watch_id), as_body(watch))

    async def clear_watch(self, session_id: str, watch_id: str) -> None:
        """Take a watch back; an open alert of it closes."""
        await self._tell("DELETE", _standing(session_id, "watches", watch_id))

    async def history(self, session_id: str, limit: int | None = None) -> History:
        """The last turns (100, or as many as `limit` says, up to 1,000) and the dialogue, oldest first."""
        query = "" if limit is None else f"?limit={limit}"
        return read(History, await self._gateway.call("GET", f"{_session(session_id)}/history{query}"))

    @property
    def alerts(self) -> Alerts:
        """The tenant's alerts: `await client.alerts(is_open=True)` lists them."""
        return Alerts(self._gateway)

    @property
    def tasks(self) -> Tasks:
        """Delegated questions: `await client.tasks(session_id)` lists a session's."""
        return Tasks(self._gateway)

    @property
    def memory(self) -> Memories:
        """What sessions remember: `await client.memory(session_id)` shows a session's tiers."""
        return Memories(self._gateway)

    @property
    def approvals(self) -> Approvals:
        """What brains ask to be allowed: `await client.approvals(state="requested")` lists what waits for somebody."""
        return Approvals(self._gateway)

    async def snapshot(self, alert_id: str) -> bytes:
        """The picture that an alert was opened on."""
        async with self._gateway.request("GET", f"/v1/alerts/{quote(alert_id, safe='')}/snapshot") as response:
            return await response.read()

    async def turns(self, session_id: str, *, limit: int | None = None, before: int | None = None) -> TurnPage:
        """What was decided, newest turn first: the last 100 turns, or as many as `limit` says (up to 500), or those
        `before` a turn, which is the `next` of another page."""
        query = urlencode(_given(limit=limit, before=before))
        path = f"{_session(session_id)}/turns" + (f"?{query}" if query else "")
        return read(TurnPage, await self._gateway.call("GET", path))

    async def frame(self, session_id: str, sequence: int | None = None, index: int = 0) -> bytes:
        """A picture (JPEG) that the model saw: the one numbered `index` of a turn, or of the newest turn. `NotFound`
        once its chunk of turns is over."""
        turn = "newest" if sequence is None else sequence
        async with self._gateway.request("GET", f"{_session(session_id)}/turns/{turn}/frames/{index}") as response:
            return await response.read()

    async def prompt(self, session_id: str, sequence: int) -> Prompt:
        """All that the engine was sent for a turn of the current chunk, and the reply. Takes a key with the role
        operator."""
        return read(Prompt, await self._gateway.call("GET", f"{_session(session_id)}/turns/{sequence}/prompt"))

    async def voices(self) -> tuple[str, ...]:
        """Names of voices for `voice_name` of a session: those that the live workers have."""
        return read(Voices, await self._gateway.call("GET", "/v1/voices")).voices

    async def transcripts(
        self, session_id: str, *, limit: int | None = None, before: str | None = None
    ) -> TranscriptPage:
        """What was said to a session and what became of it, newest first: the last 100, or as many as `limit` says (up
        to 500), or those `before` others, which is the `next` of another page. `listen` has what is being said."""
        query = urlencode(_given(limit=limit, before=before))
        path = f"{_session(session_id)}/transcripts" + (f"?{query}" if query else "")
        return read(TranscriptPage, await self._gateway.call("GET", path))

    async def say(self, session_id: str, text: str) -> str:
        """Have a session say this aloud, as an announcement; its id, with which the `utterance` of the events of speech
        ends that tell what became of it."""
        return await self._tell("POST", f"{_session(session_id)}/say", {"text": text})

    async def key(self) -> ApiKey:
        """The key that this client has."""
        return read(ApiKey, await self._gateway.call("GET", "/v1/key"))

    async def keys(self) -> tuple[ApiKey, ...]:
        """The keys of the client's tenant. Takes a key with the role admin."""
        return await self._list(ApiKey, "/v1/keys", "keys")

    async def audit(
        self,
        *,
        since: datetime | None = None,
        actor: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> AuditPage:
        """Who asked to change what, oldest first: all, or those `since` a time with its zone (a day ago when left
        out), or those of one `actor`. `after` is the `next` of another page. Takes a key with the role admin."""
        asked = {"since": None if since is None else since.isoformat(), "actor": actor, "limit": limit, "after": after}
        query = urlencode(_given(**asked))
        return read(AuditPage, await self._gateway.call("GET", "/v1/audit" + (f"?{query}" if query else "")))

    async def health(self) -> Health:
        """Whether new sessions can be taken, and the capacity of each role."""
        return read(Health, await self._gateway.call("GET", "/v1/health"))

    def events(self, session_id: str, backoff: Backoff | None = None) -> AsyncGenerator[Event, None]:
        """The session's live events, across restarts of the gateway: `Connection` says when the stream is cut and
        back. What came in between is sent then: nothing is left out, and nothing comes twice. Ends never by itself;
        raises `Refused` when the gateway refuses it (session unknown, key wrong).
        """
        return self._followed(f"{_session(session_id)}/events", read_event, backoff)

    def listen(self, session_id: str, backoff: Backoff | None = None) -> AsyncGenerator[SoundEvent, None]:
        """What is said to the session and what it speaks aloud, live: partial and final transcripts, events of speech,
        spoken sound, and whether somebody speaks. `Connection` says when the connection is cut and back; what came in
        between is left out. Ends and raises as `events` does.
        """
        return listened(self._gateway, f"{_session(session_id)}/audio", backoff or Backoff())

    def wall(self, backoff: Backoff | None = None) -> AsyncGenerator[WallEvent, None]:
        """All open sessions of the tenant, live, across restarts of the gateway: a `Tile` for each, and again when it
        changes, at most once a second; alerts, approvals and session events as they happen. After each `Connection`
        every tile comes anew; the other events go on where they were, nothing left out and nothing twice. Ends and
        raises as `events` does.
        """
        return self._followed("/v1/wall", read_wall_event, backoff)

    async def _followed(
        self, path: str, reader: Callable[[ServerEvent], E | None], backoff: Backoff | None
    ) -> AsyncGenerator[E | Connection, None]:
        policy = backoff or Backoff()
        failures, parser = 0, Parser()
        while True:
            try:
                parser = Parser(parser.last_id)
                async for event in self._stream(path, parser, reader):
                    failures = 0
                    yield event
                reason = "the gateway closed the stream"
            except (Unreachable, Unavailable) as error:
                reason = error.message
            failures += 1
            yield Connection(connected=False, reason=reason)
            await asyncio.sleep(policy.delay_s(failures, random.random()))

    async def _stream(
        self, path: str, parser: Parser, reader: Callable[[ServerEvent], E | None]
    ) -> AsyncIterator[E | Connection]:
        headers = {"Last-Event-ID": parser.last_id} if parser.last_id else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=SILENT_STREAM_S)
        async with self._gateway.request("GET", path, timeout=timeout, headers=headers) as response:
            yield Connection(connected=True)
            async for chunk in response.content.iter_any():
                for received in parser.feed(chunk):
                    event = reader(received)
                    if event is not None:
                        yield event

    async def _tell(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        return read(Accepted, await self._gateway.call(method, path, body)).id

    async def _list(self, kind: type[T], path: str, name: str) -> tuple[T, ...]:
        answer = await self._gateway.call("GET", path)
        return tuple(read(kind, item) for item in read(list[Any], answer.get(name)))


def _session(session_id: str) -> str:
    """The path of a session; an id that a person mistyped must not become another path."""
    return f"/v1/sessions/{quote(session_id, safe='')}"


def _standing(session_id: str, family: str, standing_id: str) -> str:
    """The path of an instruction or a watch."""
    return f"{_session(session_id)}/{family}/{quote(standing_id, safe='')}"


def _told(text: str, brain: str) -> dict[str, Any]:
    """A question or an instruction, with the brain that is named."""
    return {"text": text} | ({"brain": brain} if brain else {})


def _given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}
