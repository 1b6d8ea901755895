"""Bodies, headers and answers of WHIP, and how the OpenAPI document tells of them."""

from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response

from vigil_gateway.api.whip_errors import MediaTypeWrong
from vigil_gateway.whip.precondition import etag_of
from vigil_gateway.whip.publishing import Publication

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

Json = dict[str, Any]

_OFFER_EXAMPLE = "v=0\r\no=- 5228595038118931041 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n…"
_FRAGMENT_EXAMPLE = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n…"


def _body(media_type: str, told: str, example: str) -> Json:
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {"requestBody": {"required": True, "description": told, "content": content}}


def _header(told: str) -> Json:
    return {"description": told, "schema": {"type": "string"}}


OFFER_BODY = _body(SDP, "The client's offer, which sends one video and may send audio", _OFFER_EXAMPLE)
FRAGMENT_BODY = _body(FRAGMENT, "The client's ICE candidates (RFC 8840)", _FRAGMENT_EXAMPLE)
_LINK = _header("The STUN and TURN servers that the client may use, each with `rel=ice-server`")
PUBLISHED: dict[int | str, Json] = {
    201: {
        "description": "The answer to the offer. The connection is at `Location`",
        "content": {SDP: {"schema": {"type": "string"}}},
        "headers": {
            "Location": _header("Where candidates are added and the connection is ended"),
            "ETag": _header("The ICE session, for `If-Match` of candidates"),
            "Link": _LINK,
        },
    }
}
OPTIONS: dict[int | str, Json] = {
    200: {
        "description": "What can be sent here",
        "headers": {
            "Accept-Post": _header("The media type of an offer"),
            "Accept-Patch": _header("The media type of candidates"),
            "Allow": _header("The methods"),
            "Link": _LINK,
        },
    }
}


async def body_of(request: Request, media_type: str) -> bytes:
    """The body, which must be of that media type. Raises `MediaTypeWrong`."""
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != media_type:
        raise MediaTypeWrong(media_type, given)
    return await request.body()


def published(publication: Publication, links: Iterable[str], *, ends_session: bool) -> Response:
    """The answer to an offer. With `ends_session` the address of the connection is one whose end ends the session."""
    location = f"/v1/sessions/{publication.session}/whip/{publication.resource}"
    answer = Response(publication.answer_sdp, 201, media_type=SDP)
    answer.headers["Location"] = f"{location}?end_session=true" if ends_session else location
    answer.headers["ETag"] = etag_of(publication.resource)
    answer.headers["Accept-Patch"] = FRAGMENT
    return with_links(answer, links)


def options(methods: Iterable[str], links: Iterable[str], **headers: str) -> Response:
    """The answer to OPTIONS."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return with_links(Response(status_code=200, headers={"Allow": ", ".join(methods), **named}), links)


def with_links(answer: Response, links: Iterable[str]) -> Response:
    """The answer with a `Link` header for each STUN and TURN server."""
    for link in links:
        answer.headers.append("Link", link)
    return answer
