"""A session with something in every part, and a script that dumps the bytes in which a release stores it.

Only what a former release has, too, is imported here, so that the script runs in its checkout.
"""

import asyncio
import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.alert import Alert
from vigil.core.command import Ask, Instruct
from vigil.core.duplicate import Uttered
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.message import Text
from vigil.core.session import Cadence, Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Role, Source, SourceKind
from vigil.core.turn import Exchange, FrameRef, Result, Task, Turn
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.images import jpeg
from vigil.testing.servers import RedisServer

KEY = SessionKey("demo", "s-1")
TURNS = 6
FENCE = 3
SIDE = 64
ORIGIN_US = 1_790_000_000_000_000

WATCH = Watch("fire", Severity.CRITICAL, hold_s=2.0, cooldown_s=10.0)
FIRE = Instruction("w-fire", "Alert me when a fire starts.", WATCH)
QUESTION, WAITING = "Is anybody in the room?", Ask("q-2", "What colour is the wall?")
TASK = Task("s-1-4", "Whose coat is that?", "Let me see.", 4_000, 124_000)
RESULT = Result("s-1-4", "It is the caretaker's coat.")
OUTGOING = Outgoing(
    "vigil.v1.utterance.demo.s-1", "demo.s-1.utterance.5", b'{"data": "A fire has started."}', CLOUDEVENT
)
SPEC = SessionSpec(
    tenant=KEY.tenant,
    session=KEY.session,
    source=Source("cam-1", SourceKind.RTSP, "rtsp://camera", "the lobby"),
    profile="vigil-small",
    model="scripted",
    cadence=Cadence(1_000),
    window=Window(20, 4),
    created_us=ORIGIN_US,
)


def frames() -> tuple[tuple[str, bytes], ...]:
    """The pictures of the turns: grey, and one in the colour of fire."""
    colors = [(90, 90, 90)] * (TURNS - 1) + [(230, 30, 20)]
    return tuple((f"s-1-{number}-0", jpeg(color, (SIDE, SIDE))) for number, color in enumerate(colors))


def turns() -> tuple[Turn, ...]:
    """The turns of the chunk: a question is answered, another one delegated, and at last there is fire."""
    replies = ["</silence>", "</response> Nobody.", "</silence>", "</silence>", "</delegation> Let me see."]
    replies.append("</response> A fire has started.")
    queries = {0: (FIRE.text,), 1: (QUESTION,), 4: (TASK.question,)}
    return tuple(
        Turn(number, number * 1_000, (FrameRef(uuid, SIDE, SIDE),), replies[number], queries.get(number, ()))
        for number, (uuid, _) in enumerate(frames())
    )


def state() -> SessionState:
    """What the next turn depends on."""
    words = ("a", "fire", "has", "started")
    return SessionState(
        next_sequence=TURNS,
        last_time_ms=(TURNS - 1) * 1_000,
        chunk=Chunk(1, (Text("Before: nothing happened."),), turns()),
        instructions=(FIRE,),
        alerts=(Alert("s-1-fire-5", FIRE.id, WATCH, "A fire has started.", ORIGIN_US + 5_000_000, 5_000, 5_000),),
        dialogue=(
            Exchange(QUESTION, 1_000, "Nobody.", 1_000),
            Exchange(TASK.question, TASK.opened_ms, task=TASK),
        ),
        tasks=(TASK,),
        malformed_total=3,
        uttered=(Uttered(FIRE.id, words, 5_000),),
    )


async def write(store: SessionStore, placement: Placement) -> None:
    """Store the session as gateway and worker do, with a command, a result and a message that wait. The worker that
    wrote it was the third, and has let go of it."""
    await store.create(SPEC, [Instruct(FIRE)])
    await placement.open(KEY, SPEC.roles)
    for number in range(1, FENCE + 1):
        claims = await placement.claim(Role.INTERACTION, f"worker-{number}", 1)
        await placement.release(Role.INTERACTION, f"worker-{number}", claims)
    await store.set_origin(KEY, ORIGIN_US)
    taken = await store.take(KEY, FENCE)
    history = state()
    for turn in history.chunk.turns[:-1]:  # the log has every turn; the state counts at the end
        await store.commit(KEY, FENCE, Commit(SessionState(turn.sequence + 1, turn.time_ms), turn))
    last = Commit(history, history.chunk.turns[-1], frames=frames(), outgoing=(OUTGOING,), consumed=1)
    await store.commit(KEY, FENCE, last)
    await store.submit(KEY, WAITING)
    await store.submit_result(KEY, RESULT)
    await store.set_status(KEY, "interaction", json.dumps({"state": "watching", "take": bool(taken.id)}))


async def dump(redis: Redis) -> dict[str, list[Any]]:
    """Every key with its kind and its bytes in base64."""
    client: Any = redis  # redis-py types its calls for text and for bytes
    found: dict[str, list[Any]] = {}
    for name in sorted([key.decode() async for key in client.scan_iter("vigil:v1:*")]):
        kind = (await client.type(name)).decode()
        if kind == "string":
            value: Any = _text(await client.get(name))
        elif kind == "list":
            value = [_text(entry) for entry in await client.lrange(name, 0, -1)]
        elif kind == "zset":
            value = [[_text(member), score] for member, score in await client.zrange(name, 0, -1, withscores=True)]
        else:
            value = {field.decode(): _text(data) for field, data in (await client.hgetall(name)).items()}
        found[name] = [kind, value]
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def _dumped() -> dict[str, list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        await server.start()
        try:
            async with open_redis(server.url) as redis:
                await write(SessionStore(redis), Placement(redis))
                return await dump(redis)
        finally:
            await server.kill()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(_dumped()), indent=1) + "\n", "utf-8")
