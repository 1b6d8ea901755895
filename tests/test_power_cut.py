"""The power fails under load: a system that is started from what is on the disk has every turn and alert that was
acknowledged. With the default flush of NATS, and a Redis that leaves it to the kernel, it has not.

The stores lie on a disk in a file (`disk_image`). At the cut both servers are stopped in the middle of their work, and
the file is copied: what they had not flushed is not in the copy. A gateway before servers that run on the copy is then
asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from disk_image import copied, mounted, new_disk
from gateway_stage import Stage, gateway_stage

from vigil.contract.events.alerts import alert_outgoing
from vigil.contract.events.envelope import Emission
from vigil.core.alert import Moment, advance
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import Turn
from vigil.runtime.errors import BusError, StoreError
from vigil.runtime.store.sessions import Commit
from vigil.testing.eventually import eventually
from vigil_client.errors import NotFound
from vigil_client.options import NewSession, NewSource

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SESSIONS = 6
TURNS = 300  # of all sessions, before the power fails
DEFAULT = "jetstream { max_file_store: 8GB }\n"  # more than the disk has: the streams together may take so much
ALWAYS = "jetstream { max_file_store: 8GB, sync_interval: always }\n"
WATCH = Instruction("w-1", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL))


@dataclass(slots=True)
class Kept:
    """Sequences of turns and alerts by session: of those that were acknowledged, or of those that are there."""

    turns: dict[str, list[int]] = field(default_factory=dict)
    alerts: dict[str, set[str]] = field(default_factory=dict)

    def total(self) -> int:
        return sum(map(len, self.turns.values()))

    def lost(self, found: "Kept") -> tuple[int, int]:
        """How many turns and alerts of these `found` has not."""
        turns = sum(len(set(turns) - set(found.turns[session])) for session, turns in self.turns.items())
        alerts = sum(len(alerts - found.alerts[session]) for session, alerts in self.alerts.items())
        return turns, alerts


async def watch(stage: Stage, spec: SessionSpec, acknowledged: Kept) -> None:
    """What an interaction worker stores of a session: a turn, and an alert about it, one after the other for ever."""
    turns, alerts = acknowledged.turns[spec.session], acknowledged.alerts[spec.session]
    for sequence in range(100_000):
        turn = Turn(sequence, sequence * 1_000, (), "</response> Fire!")
        await stage.commit(spec.session, Commit(SessionState(sequence + 1, turn.time_ms, Chunk()), turn))
        turns.append(sequence)
        now_us = time.time_ns() // 1_000
        moment = Moment(spec.session, sequence, turn.time_ms, now_us)
        _, (opened,) = advance((), (WATCH,), moment, {WATCH.id: "Fire!"})
        await stage.bus.publish_stored(alert_outgoing(spec, opened, 0.9, Emission(now_us, now_us)))
        alerts.add(opened.alert.id)


@asynccontextmanager
async def loaded(stage: Stage, acknowledged: Kept) -> AsyncIterator[None]:
    """Sessions that are watched for as long as the block runs."""
    async with stage.client() as client:
        keys = [
            SessionKey("demo", (await client.create_session(NewSession(NewSource(kind="pushed")))).id)
            for _ in range(SESSIONS)
        ]
    acknowledged.turns |= {key.session: [] for key in keys}
    acknowledged.alerts |= {key.session: set() for key in keys}
    specs = [await stage.store.spec(key) for key in keys]
    working = [asyncio.create_task(watch(stage, spec, acknowledged)) for spec in specs]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        for ended in await asyncio.gather(*working, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError | StoreError | BusError), ended


async def read_back(stage: Stage, sessions: list[str]) -> Kept:
    """What the gateway shows."""
    found = Kept()
    async with stage.client() as client:
        for session in sessions:
            try:
                turns = (await client.history(session, 1_000)).turns
            except NotFound:
                turns = ()
            found.turns[session] = [turn.sequence for turn in turns]
            found.alerts[session] = {
                alert.alert_id for alert in (await client.alerts(session=session, limit=500)).alerts
            }
    return found


async def power_cut(folder: Path, nats_config: str, appendfsync: str) -> tuple[Kept, Kept]:
    """What was acknowledged before the power failed, and what a system has that is started from the disk."""
    acknowledged, image = Kept(), folder / "disk.img"
    await new_disk(image)
    async with mounted(image, folder / "disk") as disk, gateway_stage(disk, nats_config, appendfsync) as stage:
        async with loaded(stage, acknowledged):
            await eventually(lambda: acknowledged.total() >= TURNS, 120)
            for server in stage.servers:
                server.freeze()
        cut = await copied(image, folder / "cut.img")
    async with mounted(cut, folder / "cut") as disk, gateway_stage(disk, nats_config, appendfsync) as stage:
        return acknowledged, await read_back(stage, list(acknowledged.turns))


async def test_what_was_acknowledged_outlives_a_power_cut(tmp_path: Path) -> None:
    acknowledged, found = await power_cut(tmp_path, ALWAYS, "always")
    assert acknowledged.total() >= TURNS
    assert acknowledged.lost(found) == (0, 0)
    for session, turns in found.turns.items():
        assert turns == list(range(len(turns))), session


async def test_with_the_default_flush_some_of_it_is_lost(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    acknowledged, found = await power_cut(tmp_path, DEFAULT, "no")
    lost_turns, lost_alerts = acknowledged.lost(found)
    assert lost_turns > 0, "Redis had everything on disk"
    assert lost_alerts > 0, "NATS had everything on disk"
