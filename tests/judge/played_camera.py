"""Cameras of the judges: whatever an A2A task watches shows what it watches for, once, and then its source ends.

The compatibility kit of A2A names in each message's id what the agent is to do with it. No agent of the field does
that, so the messages whose task is to be completed get a camera in a data part, on their way; the task's watch raises
one alert, and the source ends.
"""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any, NoReturn

from gateway_stage import Stage

from vigil.core.command import Instruct
from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.runtime.errors import PortError, UnknownSession
from vigil.runtime.session.lifecycle import end
from vigil.runtime.store.sessions import Commit
from vigil.testing.alert_events import alert_event

LOOK_S = 0.02
# What messages' ids begin with whose tasks are to go on until they are cancelled or spoken to again.
GOES_ON = ("tck-input-required",)
LASTS = ("test-resubscribe-message-id",)
LASTS_S = 4.0
_ENDS, _LASTS = "rtsp://camera.local/ends", "rtsp://camera.local/lasts"


def with_camera(body: dict[str, Any]) -> dict[str, Any]:
    """A message with a camera, over either binding; one that goes on stays as it is."""
    message = (body.get("params") or body).get("message") if isinstance(body.get("params", {}), dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("parts"), list):
        return body
    name = str(message.get("messageId", ""))
    if name.startswith(("tck-", *LASTS)) and not name.startswith(GOES_ON) and "taskId" not in message:
        url = _LASTS if name.startswith(LASTS) else _ENDS
        message["parts"].append({"data": {"source": {"url": url}}})
    return body


async def play(stage: Stage) -> NoReturn:
    """Play every camera of the tenant demo, for ever."""
    seen: set[SessionKey] = set()
    async with asyncio.TaskGroup() as tasks:
        while True:
            with contextlib.suppress(PortError):  # the machine is busy: it looks again
                for key in await stage.store.sessions("demo"):
                    if key not in seen:
                        seen.add(key)
                        tasks.create_task(_play(stage, key))
            await asyncio.sleep(LOOK_S)


async def _play(stage: Stage, key: SessionKey) -> None:
    """Play one until its session has ended; what failed because the machine is busy is done again."""
    is_over = False
    while not is_over:
        try:
            is_over = await _has_ended(stage, key)
        except UnknownSession:  # a session is listed a moment before it is stored
            await asyncio.sleep(LOOK_S)
        except PortError as error:
            is_over = not error.retryable


async def _has_ended(stage: Stage, key: SessionKey) -> bool:
    """Show what the session watches for, and end its source; also whether it is another's."""
    spec = await stage.store.spec(key)
    if spec.source.url not in (_ENDS, _LASTS):
        return True
    waiting = await stage.store.commands(key)
    if waiting:
        shown = tuple(command.instruction for command in waiting if isinstance(command, Instruct))
        await stage.commit(key.session, Commit(SessionState(1, 0, instructions=shown), consumed=len(waiting)))
    if spec.source.url == _LASTS:
        await asyncio.sleep(LASTS_S)
    for watch in (await stage.store.history(key)).instructions:
        alert = f"{key.session}-{watch.id}"
        told = {"session": key.session, "instruction_id": watch.id, "source_id": spec.source.id, "alert_id": alert}
        for number, state in enumerate(("opened", "closed")):
            event = replace(alert_event(1, state, number, **told), message_id=f"demo.{alert}.{number}")
            await stage.bus.publish_stored(event)
    await end(stage, spec, "the source has ended")
    return True
