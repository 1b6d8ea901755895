"""The load generator, a process of its own: cameras that never wait for anybody.

python -m bench.load < plan.json        until SIGTERM; then one line of JSON, a `LoadReport`
"""

import asyncio
import contextlib
import itertools
import signal
import sys
import time

import msgspec
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.load_plan import INTERVAL_MS, TENANT, LoadPlan, LoadReport, Pace
from bench.nats_client import connected
from bench.pictures import red, scenes
from bench.statistics import quantile
from bench.uneventful import uneventful
from vigil.contract import subjects
from vigil.contract.decision import decode_decision
from vigil.contract.events.observations import observation_outgoing
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.contract.subject_tokens import PREFIX, Kind
from vigil.core.ids import SessionKey
from vigil.core.observation import Observation

_PICTURES = 32
_MODULE = "zones"
# Camera workers claim sessions with a fence from 1 on; these groups come from the only one there is.
_FENCE = 1
# A picture that is asked for comes so long after the last one, and at such steps of model time, as ingestion's do.
_LEAST_GAP_MS, _STEP_MS = 200, 100
# In the answered pace: a turn that nobody answered for so long is followed by the next one.
_UNANSWERED_S = 5.0


class Cameras:
    """Publishes one frame group a turn for every session of the plan."""

    def __init__(self, plan: LoadPlan, client: Client) -> None:
        self._plan = plan
        self._client = client
        self._keys = [SessionKey(TENANT, session) for session in plan.sessions]
        self._index = {session: index for index, session in enumerate(plan.sessions)}
        self._pictures = (uneventful if plan.rendered else scenes)(_PICTURES, plan.size)
        self._red = red(plan.size)
        self._late_ms: list[float] = []
        self._bytes = 0

    async def run(self) -> None:
        """Publish until cancelled; in the answered pace until every session has had its turns."""
        if self._plan.pace is Pace.ANSWERED:
            await self._answered()
        else:
            await self._open()

    def report(self) -> LoadReport:
        """What was done so far."""
        late = self._late_ms or [0.0]
        count = len(self._late_ms)
        return LoadReport(count, quantile(late, 0.5), quantile(late, 0.99), self._bytes / count if count else 0.0)

    async def _open(self) -> None:
        """Sessions are spread evenly over each second, as cameras that nobody synchronised are."""
        count = len(self._keys)
        await self._client.subscribe(f"{PREFIX}.{Kind.FRAME_ASKED}.{TENANT}.*", cb=self._asked)
        first = max(0, (_now_us() // 1000 - self._plan.start_ms) // INTERVAL_MS + 1)
        for turn in itertools.count(first):
            for index in range(count):
                due_us = (self._plan.start_ms + turn * INTERVAL_MS) * 1000 + index * INTERVAL_MS * 1000 // count
                if (wait_us := due_us - _now_us()) > 0:
                    await asyncio.sleep(wait_us / 1e6)
                self._late_ms.append((_now_us() - due_us) / 1000)
                await self._show(index, turn * INTERVAL_MS)

    async def _asked(self, message: Msg) -> None:
        """Show the session a picture at once, between two of its own: a question waits for it."""
        index = self._index.get(message.subject.rpartition(".")[2])
        if index is None:
            return
        offset_ms = index * INTERVAL_MS // len(self._keys)
        time_ms = _now_us() // 1000 - self._plan.start_ms - offset_ms
        if (early_ms := _LEAST_GAP_MS - time_ms % INTERVAL_MS) > 0:
            await asyncio.sleep(early_ms / 1000)
            time_ms += early_ms
        await self._show(index, time_ms // _STEP_MS * _STEP_MS)

    async def _answered(self) -> None:
        done = asyncio.Event()
        left = set(self._plan.sessions)
        shown = {session: (time.monotonic(), self._plan.first_turn) for session in left}

        async def decided(message: Msg) -> None:
            decision = decode_decision(message.data)
            if decision.key.session not in shown:
                return
            turn = decision.time_ms // INTERVAL_MS + 1
            if turn < self._plan.turns:
                self._late_ms.append(0.0)
                shown[decision.key.session] = (time.monotonic(), turn)
                await self._show(self._index[decision.key.session], turn * INTERVAL_MS)
            else:
                left.discard(decision.key.session)
                if not left:
                    done.set()

        await self._client.subscribe(f"vigil.v1.decision.{TENANT}.*", cb=decided)
        for index in range(len(self._keys)):
            self._late_ms.append(0.0)
            await self._show(index, self._plan.first_turn * INTERVAL_MS)
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _UNANSWERED_S)
            for session in [one for one in left if time.monotonic() - shown[one][0] > _UNANSWERED_S]:
                turn = shown[session][1] + 1  # the frame, or the word of its decision, was lost on the way
                shown[session] = (time.monotonic(), turn)
                await self._show(self._index[session], turn * INTERVAL_MS)

    async def _show(self, index: int, time_ms: int) -> None:
        if not self._client.is_connected:  # a camera's frames of that time are gone, none waits to be shown late
            return
        key, plan, turn = self._keys[index], self._plan, time_ms // INTERVAL_MS
        picture = self._red if plan.is_red(index, turn) else self._pictures[(index + turn) % _PICTURES]
        captured_us = _now_us()
        frame = Frame(picture, *plan.size, capture_time_us=captured_us)
        group = FrameGroup(key, time_ms, turn, (frame,), _FENCE)
        await self._client.publish(subjects.raw_frames(key), encode_group(group))
        self._bytes += len(picture)
        if plan.observed:
            noticed = Observation(_MODULE, "zone", f"{turn % 60} people are in the hall", captured_us, f"o-{turn}", 0.9)
            told = observation_outgoing(key, noticed, captured_us)
            await self._client.publish(told.subject, told.payload)


async def _generate(plan: LoadPlan) -> LoadReport:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client: Client = await connected(plan.nats_url, "bench load")
    try:
        cameras = Cameras(plan, client)
        running, stopped = asyncio.create_task(cameras.run()), asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, stopped):
            task.cancel()
        failed = (await asyncio.gather(running, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            raise failed
        return cameras.report()
    finally:
        await client.close()


def _now_us() -> int:
    return time.time_ns() // 1_000


def main() -> None:
    """Run the plan that standard input holds."""
    plan = LoadPlan.decode(sys.stdin.buffer.read())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_generate(plan))
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")


if __name__ == "__main__":
    main()
