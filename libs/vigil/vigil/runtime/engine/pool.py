"""Several engines used as one: a session stays where its caches are warm, moves when that engine is down, and returns.

Every session ranks the engines that serve its model in its own order (`engine.rendezvous`), so its prefix and its
pictures are in the caches of one engine. While its first engine is down, its next engine takes it; that engine lacks
the session's pictures, says so, and gets all of them once. When the first engine is back, sessions return a few at a
time, because each return sends all pictures of a chunk again.

    async with EnginePool(urls) as pool:
        engine = pool.of("demo/s-1", "vigil-small")
        completion = await engine.complete(request, resend)
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from vigil.core.decide import Completion
from vigil.core.message import Message, Text
from vigil.core.profile import PromptProfile
from vigil.runtime.engine import metrics as metrics
from vigil.runtime.engine.client import Engine, EngineConfig, EngineRequest, Resend
from vigil.runtime.engine.errors import (
    EngineError,
    EngineRejected,
    EnginesDown,
    EngineTimeout,
    EngineUnreachable,
    ModelNotServed,
)
from vigil.runtime.engine.member import Member, Pace
from vigil.runtime.engine.rendezvous import ranked
from vigil.runtime.process.logs import get_log

log = get_log()

_TRIAL = (Message("user", (Text("."),)),)

Prepare = Callable[[Engine, Collection[str]], Awaitable[None]]


class EnginePool:
    """The clients of all engines. One pool serves all sessions of a process. Use it as an async context manager."""

    def __init__(
        self, urls: Sequence[str], *, api_key: str = "", pace: Pace | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """`urls` are the engines' roots; a repeated root counts once. `tls`: see `EngineConfig`."""
        self.pace = pace or Pace()
        roots = dict.fromkeys(EngineConfig(url).root for url in urls)
        self._members = tuple(Member(Engine(EngineConfig(root, api_key=api_key, tls=tls))) for root in roots)
        self._action_ids: dict[tuple[str, str], dict[str, int]] = {}
        self._prepare: Prepare | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for member in self._members:
                await opening.enter_async_context(member.engine)
            await asyncio.gather(*(self._check(member, None) for member in self._members))
            watching = [asyncio.create_task(self._watch(member), name=member.url) for member in self._members]
            opening.push_async_callback(_cancelled, watching)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def of(self, session: str, model: str) -> "PooledEngine":
        """The engine of a session. Which engine answers may change from turn to turn."""
        return PooledEngine(self, session, model)

    def prepare_with(self, prepare: Prepare) -> None:
        """From now on, call `prepare` for an engine that a check found up, before sessions are sent to it.

        `prepare` gets the client and the models that the engine lists. When it raises `EngineError`, the engine counts
        as down until the next check. When no other engine is up, sessions are sent to it all the same.
        """
        self._prepare = prepare

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that an engine of the pool listed last, in alphabetical order."""
        return tuple(sorted({model for member in self._members for model in member.health.models or ()}))

    @property
    def contexts(self) -> dict[str, int]:
        """The context of each model in tokens, the shortest where engines differ: a session may move. A model of which
        no engine says it is left out."""
        said = [(name, size) for member in self._members for name, size in (member.health.models or {}).items() if size]
        return {name: min(size for other, size in said if other == name) for name, _ in said}

    def serving(self, model: str) -> tuple[Engine, ...]:
        """The engines that are up and serve the model."""
        return tuple(member.engine for member in self._members if member.health.up and member.health.may_serve(model))

    async def ping(self) -> None:
        """Return as soon as one engine answers. Raises `EngineError` when none does."""
        pings = [asyncio.create_task(member.engine.ping()) for member in self._members]
        faults: list[EngineError] = []
        try:
            for done in asyncio.as_completed(pings):
                try:
                    return await done
                except EngineError as error:
                    faults.append(error)
        finally:
            await _cancelled(pings)
        raise _all_of(faults)

    async def check_model(self, model: str, profile: PromptProfile) -> dict[str, int]:
        """The id of each of the profile's action words, asked once. Raises `EngineError`, see `Engine.check_model`."""
        known = self._action_ids.get((model, profile.name))
        if known is None:
            member = self.choose(model, model)
            if member is None:
                raise EngineUnreachable("no address", "the pool has no engine")
            known = await member.engine.check_model(profile, model)
            self._action_ids[model, profile.name] = known
        return known

    def choose(self, session: str, model: str, at: Member | None = None, tried: Sequence[Member] = ()) -> Member | None:
        """The engine to ask next: the first in the session's order that is up. A session that is `at` another engine
        stays there until it may return. When no engine is up the first is asked, because it may just have come back.

        None when every engine that is up was `tried`. Raises `ModelNotServed`.
        """
        able = {member.url: member for member in self._members if member.health.may_serve(model)}
        if not able:
            raise ModelNotServed(model, self.models)
        order = [able[url] for url in ranked(session, able)]
        up = [member for member in order if member.health.up and member not in tried]
        if not up:
            return None if tried else next((member for member in order if member.health.models), order[0])
        if at in up and at is not up[0] and not self._may_return(up[0]):
            return at
        return up[0]

    def _may_return(self, member: Member) -> bool:
        now_s = time.monotonic()
        if now_s < max(member.return_at_s, member.health.up_since_s + self.pace.steady_s):
            return False
        member.return_at_s = now_s + self.pace.return_gap_s
        return True

    async def recheck(self, member: Member) -> bool:
        """Check an engine whose connection broke; whether it is still up."""
        try:
            async with asyncio.timeout(self.pace.recheck_s):
                await self._check(member, None)  # a session waits: there is no time to prepare the engine
        except TimeoutError:
            member.now(member.health.unreachable(f"no answer within {self.pace.recheck_s:g} s"))
        return member.health.up

    async def _watch(self, member: Member) -> None:
        """Check an engine again and again, until cancelled."""
        while True:
            pause_s = self.pace.check_s if member.health.up else self.pace.recheck_s
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # workers must not ask in step
            await self._check(member, self._prepare)

    async def _check(self, member: Member, prepare: Prepare | None) -> None:
        try:
            models = await member.engine.models()
            if member.health.hung and models:
                trial = EngineRequest(_TRIAL, {}, max_tokens=1, deadline_s=self.pace.trial_s, model=next(iter(models)))
                await member.engine.complete(trial, _no_pixels)
            if prepare is not None and not member.health.up:
                await prepare(member.engine, models)
        except EngineError as error:
            member.now(member.health.unreachable(str(error)))
        else:
            member.now(member.health.checked(models, time.monotonic()))


class PooledEngine:
    """The engine of a session: asks where the session's caches are, else an engine that answers."""

    def __init__(self, pool: EnginePool, session: str, model: str) -> None:
        self._pool = pool
        self._session = session
        self._model = model
        self._at: Member | None = None

    async def action_ids(self, profile: PromptProfile) -> dict[str, int]:
        """The ids of the profile's action words in this session's model. Raises `EngineError`."""
        return await self._pool.check_model(self._model, profile)

    async def complete(self, request: EngineRequest, resend: Resend) -> Completion:
        """As `Engine.complete`. Engines that are up are asked in turn, all within the request's deadline."""
        end_s = time.monotonic() + request.deadline_s
        tried: list[Member] = []
        broken: list[Member] = []
        failed: EngineError | None = None
        while True:
            member = self._pool.choose(self._session, self._model, self._at, tried)
            left_s = end_s - time.monotonic()
            if member is None or (failed is not None and left_s <= 0):
                raise failed or EngineUnreachable("no address", "the pool has no engine")
            try:
                completion = await self._ask(member, replace(request, model=self._model, deadline_s=left_s), resend)
            except EngineUnreachable as error:
                # Servers close idle connections at any time: an engine that still answers is asked once more.
                if member in broken or not await self._pool.recheck(member):
                    member.now(member.health.unreachable(str(error)))
                    tried.append(member)
                broken.append(member)
                failed = error
            except EngineRejected as error:
                if error.status < 500:
                    raise
                tried.append(member)
                failed = error
            else:
                self._went_to(member, tried)
                return completion

    async def _ask(self, member: Member, request: EngineRequest, resend: Resend) -> Completion:
        try:
            completion = await member.engine.complete(request, resend)
        except EngineTimeout as error:
            member.now(member.health.timed_out(str(error)))
            raise
        member.now(member.health.answered(time.monotonic()))
        return completion

    def _went_to(self, member: Member, tried: Sequence[Member]) -> None:
        if self._at is not None and self._at is not member:
            why = "return" if self._at.health.up and self._at not in tried else "fail_over"
            metrics.MOVES.labels(member.engine.config.address, why).inc()
            log.info("session moved to another engine", engine=member.engine.config.address, why=why)
        self._at = member


async def _no_pixels(_: set[str]) -> dict[str, bytes]:
    return {}


async def _cancelled(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _all_of(faults: Sequence[EngineError]) -> EngineError:
    return faults[0] if len(faults) == 1 else EnginesDown([str(fault) for fault in faults])
