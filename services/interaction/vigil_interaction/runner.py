"""One session's tick: coded frames in, one commit a turn, events out (design §4).

    sight ─► decide ─► engine ─► settle ─► commit ─► publish

One turn is in flight at a time. Frames that arrive meanwhile supersede each other, so the next turn sees the newest.
A turn that fails leaves the state as it was; its commands and results stay in their inboxes and go with the next turn.
"""

import contextlib
from dataclasses import replace

from vigil.contract import spans
from vigil.contract.outgoing import Outgoing
from vigil.core.consolidation import Asking
from vigil.core.decide import (
    Completion,
    Infer,
    Settled,
    decide,
    finish,
    settle,
)
from vigil.core.delegation import forget
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.prompt import Asked, goes_on, prefix_share
from vigil.core.session import SessionState
from vigil.core.stall import Cause, beginning
from vigil.runtime.engine.client import EngineRequest
from vigil.runtime.engine.errors import (
    EngineError,
    EngineTimeout,
)
from vigil.runtime.engine.wire import Rendered
from vigil.runtime.errors import StoreFull
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import AttributeValue, span
from vigil.runtime.session.dropped import tell_dropped
from vigil.runtime.store.sessions import Commit, Taken, Waiting
from vigil_interaction import metrics
from vigil_interaction.archiving import archived, forgotten, key_frames
from vigil_interaction.dropped_turns import by_engine, by_store, unneeded
from vigil_interaction.inference import Asker
from vigil_interaction.memory_metrics import MemoryMetrics
from vigil_interaction.module_inbox import NOTHING, ModuleInbox
from vigil_interaction.outbox import Outbox
from vigil_interaction.ports import Ports
from vigil_interaction.recaller import Recaller
from vigil_interaction.refusals import Attempt, Refusals, is_of_prompt
from vigil_interaction.sight import Sight
from vigil_interaction.snapshots import keep
from vigil_interaction.turn_messages import closing, outgoing, snapshots
from vigil_interaction.turn_metrics import count_events, measure, went_without
from vigil_interaction.warmer import Warmer

log = get_log()


class Runner:
    """Holds one claimed session between turns. `engine_error` and `store_error` say why the last turn was dropped,
    `vitals` when something was last seen and decided. `modules` has what they told."""

    def __init__(
        self,
        ports: Ports,
        key: SessionKey,
        fence: int,
        taken: Taken,
        outbox: Outbox,
    ) -> None:
        self.key = key
        self.spec = taken.spec
        self.state = taken.state
        self.waiting = taken.waiting
        self.engine_error = self.store_error = ""
        self.vitals = beginning(ports.monotonic())
        self._ports = ports
        self._engine = ports.engines.of(str(key), taken.spec.model)
        self._fence = fence
        self._profile = profile(taken.spec.profile)
        self._asker = Asker(self._engine, self._resend, self._profile)
        self._outbox = outbox
        self._last_id = taken.id
        self._stored = None if taken.is_of_old_form else taken.state
        self._last: Asked | None = None
        self._rendered = Rendered()
        self._skipped = 0
        self._refusals = Refusals()
        self.modules = ModuleInbox(key, taken.spec.modules, ports.monotonic)
        self._recaller = Recaller(ports.bus, ports.recall_deadline_s, ports.monotonic)
        self._memory = MemoryMetrics(taken.state.memory)
        self.warmer = Warmer(
            self._engine, self._resend, ports.prewarm_slots, ports.prewarm_turns, ports.engine_deadline_s
        )

    async def tick(self, seen: Sight, skipped: int) -> None:
        """Decide on `seen`. `skipped` frame groups were superseded before it. Raises `StoreError`, `FenceLost`."""
        began = self._ports.monotonic()
        self.vitals = self.vitals.seen(began)
        self.skip(skipped, "superseded")
        await self._outbox.flush()  # what waits must not wait for the engine or the camera
        attempt = self._refusals.attempt(self.spec, self._profile, self.state, self.waiting)
        recalled = await self._recaller.recall(self.spec, attempt.state, seen, attempt.waiting.commands)
        heard = NOTHING if attempt.left_out else self.modules.heard
        percept = seen.percept(attempt.waiting, recalled.lines, self._skipped, heard)
        planned, infer = decide(self.spec, self._profile, attempt.state, percept, self._last)
        if infer is None:
            self._passed_over(seen)
            await tell_dropped(self._ports.bus, unneeded(self.key, seen, self.state.last_time_ms))
            return
        with span(spans.TICK, self._attributes(infer)) as current:
            settled = await self._taken(seen, attempt, planned, infer)
            if settled is None:
                current.set_attribute(spans.DROPPED, str(self.vitals.failure.cause) if self.vitals.failure else "")
                return
            current.set_attribute(spans.ACTION, settled.decision.output.action)
            if recalled.outcome:
                current.set_attribute(spans.RECALLED, recalled.outcome)
            self.vitals = self.vitals.decided(self._ports.monotonic())
            tick_s, age_s = self._ports.monotonic() - began, (self._ports.clock() - seen.capture_time_us) / 1e6
            self._ports.load.turn(late=measure(self.spec, settled, tick_s=tick_s, age_s=age_s))
            await self._outbox.flush()

    def _attributes(self, infer: Infer) -> dict[str, AttributeValue]:
        return {
            spans.TENANT: self.key.tenant,
            spans.SESSION: self.key.session,
            spans.SOURCE: self.spec.source.id,
            spans.SEQUENCE: infer.turn.sequence,
            spans.TIME_MS: infer.turn.time_ms,
        }

    async def _taken(self, seen: Sight, attempt: Attempt, planned: SessionState, infer: Infer) -> Settled | None:
        """Ask the engine and commit the turn; None when one of the two did not take it, which is told."""
        refusal = self.engine_error
        completion = await self._infer(infer, seen)
        if completion is None:
            return None
        settled = self._settle(planned, infer, completion)
        given_up = self.waiting if attempt.gives_up else Waiting()
        if attempt.gives_up:
            consumed, results = len(given_up.commands), len(given_up.results)
            settled = replace(settled, consumed=consumed, consumed_results=results)
        try:
            await self._commit(settled, seen, forgets=infer.told.reset)
        except StoreFull as error:  # nothing was written: the next turn sees the newest frame
            self._refused(error)
            await tell_dropped(self._ports.bus, by_store(self.key, seen, error))
            return None
        self._last = Asked(planned.chunk, infer.messages)  # what later prompts must go on from
        self.modules.committed(infer.observed)
        self._refusals.succeeded(attempt)
        went_without(attempt.left_out, given_up, refusal)
        self.store_error = ""
        return settled

    def close(self) -> None:
        """Count this session no longer: another worker may have it."""
        self._memory.close()

    async def finish(self, reason: str) -> None:
        """Close what is open, because the session ended, and publish all that waits: what waits already makes room."""
        await self.tidy()
        events = finish(self.spec, self.state, self._ports.clock(), reason)
        closed, ends = forget(replace(self.state, alerts=()), max(self.state.last_time_ms, 0))
        messages = closing(self.spec, self.state, events, ends, self._ports.clock())
        await self._store(Commit(state=closed, outgoing=messages, published=self._outbox.published), messages)
        count_events(events, ends)
        self.state = closed
        await self.tidy()

    async def tidy(self) -> None:
        """Publish what waits, and take what JetStream has out of the store's outbox. A turn does this by itself."""
        await self._outbox.flush()
        if self._outbox.published:
            with contextlib.suppress(StoreFull):  # it is done by the first turn that the store takes
                await self._store(Commit(state=self.state, published=self._outbox.published), ())

    def _passed_over(self, seen: Sight) -> None:
        """Count a frame group that needs no turn: it is not newer than the last turn, or nothing is asked for."""
        if seen.time_ms > self.state.last_time_ms:
            self.skip(1, "idle")
            self.vitals = self.vitals.decided(self._ports.monotonic())
            return
        self.skip(1, "not_newer")
        words = f"pictures come whose time is not after {self.state.last_time_ms / 1_000:g} s, which is decided on"
        self.vitals = self.vitals.failed(Cause.NOT_NEWER, words)

    def skip(self, count: int, reason: str) -> None:
        """Count frame groups that no turn will show; the next decision reports their number."""
        if count:
            self._skipped += count
            metrics.FRAMES_SKIPPED.labels(reason).inc(count)
            if reason == "superseded":
                self._ports.load.superseded(count)

    async def _infer(self, infer: Infer, seen: Sight) -> Completion | None:
        """The engine's answer; None when it failed, which the next turn makes good."""
        try:
            request = EngineRequest(
                messages=infer.messages,
                fresh=dict(seen.pixels),
                max_tokens=self._profile.max_tokens,
                deadline_s=self._ports.engine_deadline_s,
                logit_bias=await self._bias(),
                regex=self._profile.grammar,
                rendered=self._rendered,
            )
            completion = await self._asker.ask(request, self.spec.speech.text_temperature, infer.turn.sequence)
        except EngineError as error:
            self._failed(error)
            self._refusals.failed(error)
            if is_of_prompt(error):
                self.modules.refused(infer.observed)
            await tell_dropped(self._ports.bus, by_engine(self.key, seen, error))
            return None
        self.engine_error = ""
        return completion

    def _failed(self, error: EngineError) -> None:
        self.skip(1, "engine_failed")
        metrics.TICKS_FAILED.labels(type(error).__name__).inc()
        if isinstance(error, EngineTimeout):  # any other failure says nothing about how much can be held
            self._ports.load.turn(late=True)
        if str(error) != self.engine_error:  # once for each kind of trouble, not once a second
            log.warning("turn dropped", reason="the engine failed", error=str(error))
        self.engine_error = str(error)
        self.vitals = self.vitals.failed(Cause.ENGINE, self.engine_error)

    def _refused(self, error: StoreFull) -> None:
        """Keep the session: the store would refuse another worker's commit as well."""
        self.skip(1, "store_full")
        metrics.TICKS_FAILED.labels(type(error).__name__).inc()
        if not self.store_error:
            log.error("turn dropped", reason="the store is full", error=str(error))
        self.store_error = str(error)
        self.vitals = self.vitals.failed(Cause.STORE, self.store_error)

    async def _bias(self) -> dict[int, float]:
        """Also the check, once for each model, that it has the profile's action words."""
        token = (await self._engine.action_ids(self._profile)).get(self._profile.spelling.response)
        bias = self._profile.bias(self.spec.speech.response_mode)
        return {token: bias} if bias and token is not None else {}

    async def _resend(self, uuids: set[str]) -> dict[str, bytes]:
        return dict(await self._ports.store.frames(self.key, sorted(uuids)))

    def _settle(self, planned: SessionState, infer: Infer, completion: Completion) -> Settled:
        share = prefix_share(self._last.messages if self._last else (), infer.messages)
        if self._last is not None and not goes_on(self._last, planned.chunk, infer.messages):
            self._ports.past_changed(self.key, planned.chunk.number)
        asking = Asking(self._ports.memory_lead_turns, self._ports.clock())
        settled = settle(self.spec, self._profile, planned, infer, completion, asking)
        for refused in infer.told.rejected:
            metrics.COMMANDS_REJECTED.inc()
            log.warning("command rejected", session=self.key.session, reason=refused)
        return replace(settled, decision=replace(settled.decision, prefix_share=share))

    async def _commit(self, settled: Settled, seen: Sight, *, forgets: bool) -> None:
        """Write the turn. One that `forgets` was told to reset: nothing of what was before it is archived."""
        entries = archived(forgotten(self.state) if forgets else self.state, settled.state)
        kept = await keep(self._ports.bus, snapshots(self.spec, settled), seen)
        messages = outgoing(self.spec, settled, kept, self._ports.clock())
        commit = Commit(
            state=settled.state,
            turn=settled.state.chunk.turns[-1],
            restart=settled.restart,
            frames=tuple(seen.pixels.items()),
            outgoing=messages,
            published=self._outbox.published,
            consumed=settled.consumed,
            consumed_results=settled.consumed_results,
            consumed_blocks=settled.consumed_blocks,
            archived=entries,
            key_frames=key_frames(entries),
            forgets=forgets,
        )
        with span(spans.COMMIT, {spans.DB_SYSTEM: "redis", spans.SEQUENCE: settled.decision.sequence}):
            await self._store(commit, messages)
        self.state = settled.state
        self._skipped = 0
        self._memory.committed(settled)
        self.warmer.committed(self.spec, self._profile, self.state, self.waiting.blocks)

    async def _store(self, commit: Commit, messages: tuple[Outgoing, ...]) -> None:
        """Commit on top of the last acknowledged write. After an error a commit may still be on its way: then nothing
        more is written by this runner, and whoever takes the session again makes the late one void. What an older
        release stored is written anew, all of it, by the first commit."""
        is_anew = self._stored is None
        commit = replace(commit, after=self._last_id, before=self._stored, restart=commit.restart or is_anew)
        self.waiting = await self._ports.store.commit(self.key, self._fence, commit)
        self._last_id, self._stored = commit.id, commit.state
        self._outbox.committed(messages)
