"""Objects in the buckets: the pictures of alerts, and the files that brains made. Raises nats-py's errors."""

import asyncio
import contextlib

from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from vigil.contract.streams import ARTEFACTS, SNAPSHOTS, BucketSpec
from vigil.runtime.errors import ArtefactMissing, SnapshotMissing

# Reading an object whose oldest part was discarded never ends by itself.
_READ_TIMEOUT_S = 5.0
# Storing an object takes several requests, each with its own timeout of two seconds, and a turn waits for a snapshot.
_SNAPSHOT_TIMEOUT_S = 1.0
_ARTEFACT_TIMEOUT_S = 10.0


async def put_snapshot(js: JetStreamContext, name: str, data: bytes) -> None:
    """Store `data` as the snapshot `name`. Raises `TimeoutError` when that takes longer than a second."""
    async with asyncio.timeout(_SNAPSHOT_TIMEOUT_S):
        await _bucket(js, SNAPSHOTS).put(name, data)


async def get_snapshot(js: JetStreamContext, name: str) -> bytes:
    """The snapshot `name`, or `SnapshotMissing`."""
    found = await _read(js, SNAPSHOTS, name)
    if found is None:
        raise SnapshotMissing(f"no snapshot {name!r}: it never was, or it has aged out")
    return found


async def drop_snapshot(js: JetStreamContext, name: str) -> None:
    """Remove the snapshot `name`; one that is not there stays so."""
    with contextlib.suppress(NotFoundError):
        await _bucket(js, SNAPSHOTS).delete(name)


async def put_artefact(js: JetStreamContext, name: str, data: bytes) -> None:
    """Store `data` as the artefact `name`. Raises `TimeoutError` when that takes longer than ten seconds."""
    async with asyncio.timeout(_ARTEFACT_TIMEOUT_S):
        await _bucket(js, ARTEFACTS).put(name, data)


async def get_artefact(js: JetStreamContext, name: str) -> bytes:
    """The artefact `name`, or `ArtefactMissing`."""
    found = await _read(js, ARTEFACTS, name)
    if found is None:
        raise ArtefactMissing(f"no artefact {name!r}: it never was, or it has aged out")
    return found


async def drop_artefact(js: JetStreamContext, name: str) -> None:
    """Remove the artefact `name`; one that is not there stays so."""
    with contextlib.suppress(NotFoundError):
        await _bucket(js, ARTEFACTS).delete(name)


async def _read(js: JetStreamContext, bucket: BucketSpec, name: str) -> bytes | None:
    """An object; None when there is none, or when it has aged out in part."""
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            found = await _bucket(js, bucket).get(name)
    except (TimeoutError, JetStreamError):
        return None
    return found.data or b""


def _bucket(js: JetStreamContext, bucket: BucketSpec) -> ObjectStore:
    return ObjectStore(name=bucket.name, stream=bucket.stream, js=js)
