"""Erasing a session: it ends, and what was seen, said and made in it is removed before its time.

Pictures of the stream go with the end. The pictures of its alerts and the files that brains made for it are removed
from their buckets; its keys in Redis are forgotten within a minute, which is how long its workers may take to close its
alerts. Vectors of its words are dropped by the memory service when it hears of the end. Events stay in their streams
for as long as those keep them: downstream systems have them anyway.
"""

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.contract.snapshots import snapshot_name
from vigil.contract.streams import ALERTS
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey
from vigil.runtime.errors import StoreCorrupt, StoreNewer
from vigil.runtime.process.cancellation import to_the_end
from vigil.runtime.process.logs import get_log
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.lifecycle import CLIENT_ENDED, finish_by_key

log = get_log()

WITHIN_S = 60.0
_PAGE = 1_000


async def erase_for_client(ports: Ports, key: SessionKey) -> None:
    """End a session and remove what is kept of it; whole, also when the client leaves. Idempotent: after a failure it
    is safe to repeat. Raises `UnknownSession`, `PortError`."""
    await to_the_end(_erase(ports, key))


async def _erase(ports: Ports, key: SessionKey) -> None:
    await finish_by_key(ports, key, CLIENT_ENDED)
    made = [artefact.object for task in await ports.tasks.list(key) for artefact in task.artefacts]
    pictured = await _snapshots(ports, key)
    await ports.bus.drop_artefacts(made)
    await ports.bus.drop_snapshots(pictured)
    await ports.store.erase(key, WITHIN_S)
    log.info("session erased", session=key.session, artefacts=len(made), snapshots=len(pictured))


async def _snapshots(ports: Ports, key: SessionKey) -> list[str]:
    """The pictures of alerts that the session has opened, as far as their events are still stored. Where it cannot be
    read what it watched, all sources of the tenant are looked through."""
    found: list[str] = []
    filter_subject = await _openings(ports, key)
    begin, has_more = 1, True
    while has_more:
        page = await ports.bus.stored(ALERTS, filter_subject, begin, _PAGE)
        for message in page.messages:
            found += _snapshot(key, message.payload)
        has_more = page.has_more and bool(page.messages)
        begin = page.messages[-1].sequence + 1 if page.messages else begin
    return found


async def _openings(ports: Ports, key: SessionKey) -> str:
    try:
        spec = await ports.store.spec(key)
    except (StoreCorrupt, StoreNewer):
        return subjects.alert_events_of(key.tenant, AlertState.OPENED)
    return subjects.alert(key.tenant, spec.source.id, AlertState.OPENED)


def _snapshot(key: SessionKey, payload: bytes) -> list[str]:
    try:
        data = decode_event(payload).data
    except InvalidMessage:
        return []
    is_its = isinstance(data, dict) and data.get("session") == key.session and data.get("snapshot")
    return [snapshot_name(key.tenant, str(data["alert_id"]))] if is_its else []
