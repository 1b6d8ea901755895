"""Pictures that a session's turns were shown, for people to look at: those of the current chunk, which is kept."""

from dataclasses import dataclass

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import session_keys
from vigil.runtime.store.redis_client import unavailable
from vigil.runtime.store.refusals import accepted

NEWEST = "newest"
_PACKAGE = "vigil.runtime.store"


@dataclass(frozen=True, slots=True)
class TurnPicture:
    """A picture as the model saw it. Its `uuid` names these bytes and no others, in no other session."""

    sequence: int
    uuid: str
    jpeg: bytes


class TurnPictures:
    """Pictures by turn. Every method raises `StoreUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._picture = redis_client.script(redis, _PACKAGE, "session", "turn_picture")

    async def of(self, key: SessionKey, sequence: int | None, index: int) -> TurnPicture | None:
        """The frame number `index` of a turn, or of the newest turn (None), in one round trip.

        None when the current chunk has no such turn or frame, or the session has ended: then its pictures are gone.
        Raises `UnknownSession`.
        """
        asked = NEWEST if sequence is None else str(sequence)
        with unavailable():
            found = await self._picture(keys=session_keys(key), args=[asked, index])
        answer = accepted(found, key)
        return None if answer is None else TurnPicture(int(answer[0]), answer[1].decode(), answer[2])
