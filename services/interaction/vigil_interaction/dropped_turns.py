"""Why a turn was dropped, for the client that waits for its decision."""

import re

from vigil.contract.turn_dropped import DropReason, TurnDropped
from vigil.core.ids import SessionKey
from vigil.runtime.engine.errors import EngineError, EnginesDown, EngineUnreachable, ImagesMissing, PromptTooLong
from vigil.runtime.errors import StoreError
from vigil_interaction.sight import Sight

_ADDRESS = re.compile(r" (?:at|from) https?://\S+")  # where an engine is concerns operators alone, who have the logs


def by_engine(key: SessionKey, seen: Sight, error: EngineError) -> TurnDropped:
    """The engine gave no answer. One that refuses a prompt for its length or its lost pictures gets a shorter one next,
    so another try may succeed."""
    may_succeed = error.retryable or isinstance(error, ImagesMissing | PromptTooLong)
    reason = DropReason.ENGINE_FAILED if may_succeed else DropReason.ENGINE_REFUSED
    if isinstance(error, EngineUnreachable | EnginesDown):
        return _dropped(key, seen, reason, "no engine answers")
    return _dropped(key, seen, reason, _ADDRESS.sub("", str(error)))


def by_store(key: SessionKey, seen: Sight, error: StoreError) -> TurnDropped:
    """The store took nothing, or did not say that it did."""
    return _dropped(key, seen, DropReason.STORE, str(error))


def unneeded(key: SessionKey, seen: Sight, last_time_ms: int) -> TurnDropped:
    """The turn is not newer than the last one, or there is nothing to infer."""
    if seen.time_ms <= last_time_ms:
        return _dropped(key, seen, DropReason.NOT_NEWER, f"the session has decided up to {last_time_ms / 1_000:g} s")
    return _dropped(key, seen, DropReason.IDLE, "the session has nothing to watch for or to answer, and saves compute")


def overtaken(key: SessionKey, seen: Sight) -> TurnDropped:
    """The pictures were coded by a worker that has lost the session."""
    return _dropped(key, seen, DropReason.OVERTAKEN, "the pictures came from a worker that was overtaken")


def _dropped(key: SessionKey, seen: Sight, reason: DropReason, detail: str) -> TurnDropped:
    return TurnDropped(key, seen.time_ms, seen.capture_time_us, reason, detail)
