"""Publishing into a session that is there, or into one that is made for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.contract.signalling import Close, Offer
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import SourceKind
from vigil.runtime.errors import PortError, SessionEnded
from vigil.runtime.process.cancellation import to_the_end
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.models.sessions import SessionIn
from vigil_gateway.api.whip_errors import NoSuchPublication, NotWebrtc
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.lifecycle import end_for_client, finish
from vigil_gateway.sessions.opening import open_while_wanted
from vigil_gateway.sessions.session_id import id_of_name
from vigil_gateway.whip.signalling import offer, tell

log = get_log()


@dataclass(frozen=True, slots=True)
class Publication:
    """A client's connection into a session, and the SDP that answers its offer."""

    session: str
    resource: str
    answer_sdp: str


async def check_publishable(ports: Ports, key: SessionKey) -> None:
    """Return when a client may publish into the session. Raises `UnknownSession`, `SessionEnded`, `NotWebrtc`."""
    spec, ended = await ports.store.spec(key), await ports.store.ended(key)
    if ended is not None:
        raise SessionEnded.because(key, ended.reason)
    if spec.source.kind is not SourceKind.WEBRTC:
        raise NotWebrtc(spec.source.kind)


async def publish(ports: Ports, key: SessionKey, offered: Offer) -> Publication:
    """Publish into the session, once a worker holds it. Raises what `signalling.offer` raises."""
    reply = await offer(ports, key, offered)
    log.info("offer answered", session=key.session, resource=reply.resource, replaces=offered.replaces)
    return Publication(key.session, reply.resource, reply.answer_sdp)


async def publish_anew(ports: Ports, tenant: str, sdp: str, name: str, watches: Sequence[str]) -> Publication:
    """Make a session and publish into it. When the offer is refused, the session is ended again.

    Raises what `open_session` and `signalling.offer` raise.
    """
    spec = await open_while_wanted(ports, tenant, _session(name, watches))
    try:
        return await publish(ports, spec.key, Offer(sdp, brings_session=True))
    except BaseException as error:
        await to_the_end(_end_again(ports, spec, error))
        raise


async def unpublish(ports: Ports, key: SessionKey, resource: str, *, ends_session: bool) -> None:
    """End the client's connection and, where it asks for that, the session. In a session that has ended it changes
    nothing. Raises `UnknownSession`, `NotWebrtc`, `NoSuchPublication`, `SignallingFailed`."""
    if await ports.store.ended(key) is not None:
        return  # its connections ended with it
    await check_publishable(ports, key)
    try:
        await tell(ports, key, Close(resource))
    except NoSuchPublication:
        if not ends_session:
            raise
    if ends_session:
        await end_for_client(ports, key)
    log.info("publication ended", session=key.session, resource=resource, ends_session=ends_session)


def _session(name: str, watches: Sequence[str]) -> SessionIn:
    """The alerts of every session of that name are under the name's id."""
    source = {"kind": SourceKind.WEBRTC, "id": id_of_name(name) if name else None, "name": name}
    return SessionIn.model_validate({"source": source, "watches": [{"text": text} for text in watches]})


async def _end_again(ports: Ports, spec: SessionSpec, error: BaseException) -> None:
    reason = str(error) if isinstance(error, GatewayError) else "its client could not publish"
    try:
        await finish(ports, spec, f"nothing was published into it: {reason}")
    except PortError as failure:
        log.error("session without a publication not ended", session=spec.session, reason=str(failure))
