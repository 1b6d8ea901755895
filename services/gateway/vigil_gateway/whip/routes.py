"""The doors of WHIP (RFC 9725): one of each session, and one that makes the session first."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status

from vigil.contract.signalling import Candidates, Offer
from vigil_gateway.api.models.base import Text
from vigil_gateway.ports import Holder, Key, PortsOf
from vigil_gateway.sessions.session_id import MAX_NAME_CHARS
from vigil_gateway.whip import messages
from vigil_gateway.whip.addresses import ANEW, CONNECTION, SESSION, Resource, links_for
from vigil_gateway.whip.precondition import check_precondition
from vigil_gateway.whip.publishing import check_publishable, publish, publish_anew, unpublish
from vigil_gateway.whip.sdp import checked_fragment, checked_offer
from vigil_gateway.whip.signalling import tell

MAX_WATCHES = 16

router = APIRouter(tags=["WHIP"])


Replace = Annotated[
    bool, Query(description="Whether to take the place of the client that publishes into the session now")
]
Name = Annotated[
    str,
    Query(
        max_length=MAX_NAME_CHARS,
        description="Name of the source, for people; its id in alert subjects is made of it",
        examples=["Lobby"],
    ),
]
Watches = Annotated[
    list[Text],
    Query(
        default_factory=list,
        alias="watch",
        max_length=MAX_WATCHES,
        description="What to raise alerts of, in words; may be given several times",
    ),
]
EndSession = Annotated[bool, Query(description="Whether to end the session too, without its grace time")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1_000, description="The `ETag` of the offer's answer. Needed: 428 without it"),
]


@router.post(
    SESSION,
    status_code=status.HTTP_201_CREATED,
    response_class=Response,
    responses=messages.PUBLISHED,
    openapi_extra=messages.OFFER_BODY,
)
async def publish_into_session(
    request: Request, ports: PortsOf, holder: Holder, key: Key, replace: Replace = False
) -> Response:
    """Publish a camera or a screen into a session whose source is of the kind `webrtc`. It waits until an ingestion
    worker has taken the session. Media goes straight to that worker."""
    await check_publishable(ports, key)
    sdp = checked_offer(await messages.body_of(request, messages.SDP))
    publication = await publish(ports, key, Offer(sdp, replace))
    return messages.published(publication, links_for(ports, holder), ends_session=False)


@router.post(
    ANEW,
    status_code=status.HTTP_201_CREATED,
    response_class=Response,
    responses=messages.PUBLISHED,
    openapi_extra=messages.OFFER_BODY,
)
async def publish_new_session(
    request: Request, ports: PortsOf, holder: Holder, watches: Watches, name: Name = ""
) -> Response:
    """Make a session and publish into it: for programs that know one address and a bearer token, such as OBS. The
    session ends with the connection. When the offer is refused no session is left."""
    sdp = checked_offer(await messages.body_of(request, messages.SDP))
    publication = await publish_anew(ports, holder.tenant, sdp, name, watches)
    return messages.published(publication, links_for(ports, holder), ends_session=True)


@router.patch(
    CONNECTION,
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    openapi_extra=messages.FRAGMENT_BODY,
)
async def add_candidates(
    request: Request, ports: PortsOf, key: Key, resource: Resource, if_match: IfMatch = None
) -> Response:
    """Add the client's ICE candidates to its connection (trickle ICE). ICE is not restarted: that is refused with 422,
    the connection stays, and the client publishes again."""
    await check_publishable(ports, key)
    fragment = checked_fragment(await messages.body_of(request, messages.FRAGMENT))
    check_precondition(if_match, resource)
    await tell(ports, key, Candidates(resource, fragment))
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete(CONNECTION, status_code=status.HTTP_204_NO_CONTENT)
async def end_publication(ports: PortsOf, key: Key, resource: Resource, end_session: EndSession = False) -> None:
    """End the connection. The session goes on for its grace time, in which a client may publish again; one that
    `POST /v1/whip` made ends at once."""
    await unpublish(ports, key, resource, ends_session=end_session)
