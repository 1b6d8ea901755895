"""The bounded snapshot that goes with a question: pictures of the session, from the store."""

from vigil.core.task import TaskRequest
from vigil.runtime.errors import StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.sessions import SessionStore
from vigil_brain.brains.port import Picture

log = get_log()


async def pictures(store: SessionStore, request: TaskRequest, most_bytes: int) -> tuple[Picture, ...]:
    """The key frames of the task in order of time, at most `most_bytes` of them: the newest count first. Frames of a
    chunk that is over are gone. Without the store the question goes without pictures: its words may be enough."""
    try:
        found = await store.frames(request.key, [frame.uuid for frame in request.frames])
    except StoreError as error:
        log.warning("snapshot not read", task=request.task, reason=str(error))
        return ()
    shown: list[Picture] = []
    for frame in reversed(request.frames):
        jpeg = found.get(frame.uuid)
        if jpeg is None or len(jpeg) > most_bytes:
            continue
        most_bytes -= len(jpeg)
        shown.append(Picture(frame.time_ms, jpeg))
    return tuple(reversed(shown))
