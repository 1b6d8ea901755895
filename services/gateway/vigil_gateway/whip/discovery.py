"""What a WHIP client may ask of an address before it publishes there (RFC 9725 §4.1, §4.2, §4.6)."""

from fastapi import APIRouter, Response, status

from vigil_gateway.ports import Holder, Key, PortsOf
from vigil_gateway.whip import messages
from vigil_gateway.whip.addresses import ANEW, CONNECTION, SESSION, Resource, links_for
from vigil_gateway.whip.publishing import check_publishable

_DOOR = ("GET", "HEAD", "OPTIONS", "POST")
_CONNECTION = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH")

router = APIRouter(tags=["WHIP"])


@router.get(SESSION, status_code=status.HTTP_204_NO_CONTENT)
async def show_door(ports: PortsOf, key: Key) -> None:
    """Nothing: the address is there and can be published to."""
    await check_publishable(ports, key)


@router.get(ANEW, status_code=status.HTTP_204_NO_CONTENT)
async def show_new_door(holder: Holder) -> None:
    """Nothing: the address is there and can be published to."""


@router.get(CONNECTION, status_code=status.HTTP_204_NO_CONTENT)
async def show_publication(ports: PortsOf, key: Key, resource: Resource) -> None:
    """Nothing: a connection has no representation (RFC 9725 §4.1), and is not looked for."""
    await check_publishable(ports, key)


@router.head(SESSION, status_code=status.HTTP_204_NO_CONTENT, include_in_schema=False)
@router.head(CONNECTION, status_code=status.HTTP_204_NO_CONTENT, include_in_schema=False)
async def head_door(ports: PortsOf, key: Key) -> None:
    """As GET."""
    await check_publishable(ports, key)


@router.head(ANEW, status_code=status.HTTP_204_NO_CONTENT, include_in_schema=False)
async def head_new_door(holder: Holder) -> None:
    """As GET."""


@router.options(SESSION, response_class=Response, responses=messages.OPTIONS)
async def door_options(ports: PortsOf, holder: Holder, key: Key) -> Response:
    """What can be sent here, and the STUN and TURN servers to use."""
    await check_publishable(ports, key)
    return messages.options(_DOOR, links_for(ports, holder), Accept_Post=messages.SDP)


@router.options(ANEW, response_class=Response, responses=messages.OPTIONS)
async def new_door_options(ports: PortsOf, holder: Holder) -> Response:
    """What can be sent here, and the STUN and TURN servers to use."""
    return messages.options(_DOOR, links_for(ports, holder), Accept_Post=messages.SDP)


@router.options(CONNECTION, response_class=Response, responses=messages.OPTIONS)
async def publication_options(ports: PortsOf, key: Key, resource: Resource) -> Response:
    """What can be sent here."""
    await check_publishable(ports, key)
    return messages.options(_CONNECTION, (), Accept_Patch=messages.FRAGMENT)
