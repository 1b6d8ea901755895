"""Asks the ingestion worker that holds a session, over the bus: no worker needs an address of its own."""

import asyncio

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.signalling import Candidates, Close, Offer, Refusal, Reply, Request, decode_reply, encode_request
from vigil.core.ids import SessionKey
from vigil.runtime.errors import NoResponders
from vigil_gateway.api.whip_errors import (
    AlreadyPublished,
    CodecUnsupported,
    FragmentWrong,
    IceRestartUnsupported,
    NoSuchPublication,
    NotHeld,
    NoVideo,
    OfferWrong,
    PublishersFull,
    SignallingFailed,
    WhipError,
)
from vigil_gateway.ports import Ports

LOOK_S = 0.1
_LONGEST_S = 300.0  # more than any deadline of a caller

_REFUSED: dict[Refusal, type[WhipError]] = {
    Refusal.WRONG_OFFER: OfferWrong,
    Refusal.NO_VIDEO: NoVideo,
    Refusal.UNSUPPORTED_CODEC: CodecUnsupported,
    Refusal.UNKNOWN_RESOURCE: NoSuchPublication,
    Refusal.BUSY: PublishersFull,
    Refusal.ICE_RESTART_UNSUPPORTED: IceRestartUnsupported,
    Refusal.ALREADY_SENDING: AlreadyPublished,
}
_NOT_HELD = "no worker holds the session now, so no connection of it is open"


async def offer(ports: Ports, key: SessionKey, request: Offer) -> Reply:
    """Offer to the worker that holds the session, as soon as one does. An offer is never made twice.

    Raises `NotHeld`, `SignallingFailed`, what the worker refuses, and `BusUnavailable`.
    """
    within_s, monotonic = ports.settings.whip_deadline_s, asyncio.get_running_loop().time
    asked_s = monotonic()
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    asked_s = monotonic()
                    return await _ask(ports, key, request)
                except NoResponders:
                    await asyncio.sleep(LOOK_S)
    except TimeoutError:
        # That nobody listens is answered at once: a request that is older was heard.
        was_heard = monotonic() - asked_s > within_s / 2
        raise (_late(within_s) if was_heard else NotHeld(within_s)) from None


async def tell(ports: Ports, key: SessionKey, request: Candidates | Close) -> None:
    """Tell the worker about a connection of the session. Where no worker holds the session, none is open.

    Raises `NoSuchPublication`, `SignallingFailed`, what the worker refuses, and `BusUnavailable`.
    """
    within_s = ports.settings.whip_deadline_s
    try:
        async with asyncio.timeout(within_s):
            await _ask(ports, key, request)
    except OfferWrong as error:
        raise FragmentWrong(str(error)) from None
    except NoResponders:
        raise NoSuchPublication(_NOT_HELD) from None
    except TimeoutError:
        raise _late(within_s) from None


async def _ask(ports: Ports, key: SessionKey, request: Request) -> Reply:
    """The worker's answer, for as long as the caller waits for it."""
    try:
        answer = await ports.bus.request(subjects.signalling(key), encode_request(request), timeout_s=_LONGEST_S)
        reply = decode_reply(answer)
    except InvalidMessage as error:
        raise SignallingFailed(f"the worker's answer cannot be read: {error}") from None
    if reply.refusal is not None:
        raise _REFUSED[reply.refusal](reply.message)
    return reply


def _late(within_s: float) -> SignallingFailed:
    return SignallingFailed(f"the worker that holds the session did not answer within {within_s:g} s")
