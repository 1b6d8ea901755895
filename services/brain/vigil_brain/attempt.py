"""One task in the hands of a worker: taken under a lease, solved, finished once, told, acknowledged.

The lease is renewed while the brain works. Whoever loses it (another worker took the task, it was cancelled, its
session waits for it no more) stops the brain within a second. What came of the task is written to the store before
it is told, and told before the message is acknowledged: a worker that dies in between leaves nothing undone and nothing
done twice.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any

from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.core.task import TaskRequest
from vigil.runtime.bus.consumer import Delivery
from vigil.runtime.errors import ArtefactMissing, BusError, InboxFull, PublishRefused, StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import current_traceparent
from vigil.runtime.store.tasks import WITHDRAWN, Finished
from vigil_brain import metrics
from vigil_brain.artefacts import Kept
from vigil_brain.outcome import Outcome, news_of, withdrawn
from vigil_brain.ports import Ports
from vigil_brain.solving import answer
from vigil_brain.told import TaskTold

log = get_log()

STOP_S = 1.0  # a brain that has not stopped by then is left to itself
_AGAIN_S = 0.5
_ARTEFACT_TRIES = 3


class Attempt:
    """A task that a worker has in hand. `delivery` is replaced when its message comes again."""

    def __init__(self, ports: Ports, request: TaskRequest, delivery: Delivery) -> None:
        self.request = request
        self.delivery = delivery
        self._ports = ports
        self._withdrawn: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._told_s = 0.0

    def withdraw(self, reason: str) -> None:
        """Nobody wants the answer: stop, and tell why."""
        if not self._withdrawn.done():
            self._told_s = time.monotonic()
            self._withdrawn.set_result(reason)

    async def run(self) -> None:
        """Work on the task until it is over, for this worker at least. Cancelled, it lets the task go for another."""
        request = self.request
        fence = await self._ports.tasks.take(
            request.key, request.task, self._ports.worker, self._ports.lease_s, self._brain_name()
        )
        if fence is None:
            await self.retell()
        elif not fence:
            await self.delivery.retry(self._ports.lease_s / 2)
        else:
            try:
                await self._finish(await self._solved(fence), fence)
            except BaseException:
                await self._let_go(fence)
                raise

    async def refuse(self, outcome: Outcome) -> None:
        """End a task that nobody works on."""
        await self._finish(outcome, None)

    async def retell(self) -> None:
        """The task had ended before, and its end may not have been told: tell it, and be done with the message."""
        record = await self._ports.tasks.get(self.request.key, self.request.task)
        if record is not None and record.state.is_final:
            await self._tell(news_of(record, self._ports.now_us()))
        await self.delivery.ack()

    def _brain_name(self) -> str:
        return self._ports.catalogue.choose(self.request).brain

    async def _solved(self, fence: int) -> Outcome:
        """What the brain answers, unless nobody wants that any more."""
        request = self.request
        metrics.WAIT_SECONDS.observe(max(0.0, (self._ports.now_us() - request.opened_at_us) / 1e6))
        told = TaskTold(self._ports, request, fence, self._brain_name())
        solving = asyncio.create_task(self._answered(told))
        holding = asyncio.create_task(self._hold(fence))
        try:
            waited: set[asyncio.Future[Any]] = {solving, holding, self._withdrawn}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if solving.done():
                return solving.result()
            if holding.done():
                holding.result()
            why = self._withdrawn.result() if self._withdrawn.done() else WITHDRAWN
            return withdrawn(why, self._brain_name())
        finally:
            holding.cancel()
            await self._stop(solving)
            await asyncio.wait({holding})

    async def _answered(self, told: TaskTold) -> Outcome:
        await told.started()
        return await answer(self._ports, self.request, told)

    async def _hold(self, fence: int) -> None:
        """Renew the lease until it is lost. While Redis does not answer nobody else can take the task either."""
        while True:
            try:
                if not await self._ports.tasks.renew(self.request.key, self.request.task, fence, self._ports.lease_s):
                    self._told_s = self._told_s or time.monotonic()
                    return
            except StoreError as error:
                log.warning("lease not renewed", task=self.request.task, reason=str(error))
            await asyncio.sleep(self._ports.lease_s / 4)

    async def _stop(self, solving: asyncio.Task[Outcome]) -> None:
        """Stop the brain; one that does not stop is left behind, and counted."""
        if solving.done():
            return
        solving.cancel()
        await asyncio.wait({solving}, timeout=STOP_S)
        if not solving.done():
            metrics.FAILURES.labels(self._brain_name(), "stuck").inc()
            log.error("stop of brain failed", brain=self._brain_name(), task=self.request.task, waited_s=STOP_S)
        elif self._told_s:
            metrics.CANCEL_SECONDS.observe(time.monotonic() - self._told_s)

    async def _finish(self, outcome: Outcome, fence: int | None) -> None:
        outcome = await self._stored(outcome)
        finished = await self._written(outcome, fence)
        about = {"task": self.request.task, "brain": outcome.brain}
        if finished is Finished.OVERTAKEN:
            metrics.TASKS.labels("overtaken").inc()
            log.warning("task taken over", **about)
            return  # the message is another worker's now
        if finished is Finished.DONE:
            await self.retell()
            return
        news = outcome.news(finished, self._ports.now_us())
        if finished is not Finished.GIVEN:
            await self._drop(outcome.kept)
            news = replace(news, artefacts=())
        await self._tell(news)
        metrics.TASKS.labels(news.state).inc()
        log.info("task ended", state=news.state, chars=len(outcome.text), artefacts=len(news.artefacts), **about)
        await self.delivery.ack()

    async def _stored(self, outcome: Outcome) -> Outcome:
        """Store the files; without them the answer is given all the same."""
        kept = outcome.kept
        for artefact, content in zip(kept.artefacts, kept.contents, strict=True):
            if not await self._is_stored(artefact.object, content):
                metrics.ARTEFACTS.labels("left_out").inc(len(kept.artefacts))
                return replace(outcome, kept=Kept(left_out=len(kept.artefacts)))
        return outcome

    async def _is_stored(self, name: str, content: bytes) -> bool:
        for _ in range(_ARTEFACT_TRIES):
            try:
                await self._ports.bus.put_artefact(name, content)
            except BusError as error:
                log.warning("artefact not stored", artefact=name, reason=str(error))
                await asyncio.sleep(_AGAIN_S)
            else:
                return True
        return False

    async def _written(self, outcome: Outcome, fence: int | None) -> Finished:
        """Finish the task in the store, however long that is away or the session has enough to tell."""
        ending = outcome.ending(self.request.task)
        while True:
            try:
                return await self._ports.tasks.finish(self.request.key, self.request.task, fence, ending)
            except InboxFull as error:
                log.warning("result delayed", task=self.request.task, reason=str(error))
            except StoreError as error:
                log.warning("task not finished", task=self.request.task, reason=str(error))
            await asyncio.sleep(_AGAIN_S)

    async def _tell(self, news: TaskNews) -> None:
        """Tell how the task ended, however long NATS is away: before that the message cannot be acknowledged either."""
        outgoing = news_outgoing(self.request, news, current_traceparent())
        while True:
            try:
                await self._ports.bus.publish_stored(outgoing)
            except PublishRefused as error:
                log.error("task event refused", task=self.request.task, reason=str(error))
                return
            except BusError as error:
                log.warning("task event delayed", task=self.request.task, reason=str(error))
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def _drop(self, kept: Kept) -> None:
        try:
            await self._ports.bus.drop_artefacts([artefact.object for artefact in kept.artefacts])
        except (BusError, ArtefactMissing) as error:
            log.warning("artefacts not dropped", task=self.request.task, reason=str(error))  # they age out

    async def _let_go(self, fence: int) -> None:
        """Leave the task to another worker, at once where Redis and NATS can be told."""
        metrics.HANDED_BACK.inc()
        try:
            await self._ports.tasks.renew(self.request.key, self.request.task, fence, 0.0)
            await self.delivery.retry(0.0)
        except (StoreError, BusError) as error:
            log.warning("task not handed back", task=self.request.task, reason=str(error))
