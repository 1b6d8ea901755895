"""Pictures as the model saw them."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status

from vigil.runtime.store.turn_pictures import TurnPicture
from vigil_gateway.alerts.snapshots import JPEG
from vigil_gateway.api.errors import FrameGone
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.turns.paths import Index, Turn

MAX_TAGS_CHARS = 4_096
TURN_HEADER = "Vigil-Turn"

router = APIRouter(prefix="/v1/sessions/{session}/turns", tags=["turns"])

Known = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=MAX_TAGS_CHARS,
        description="`ETag`s of pictures that the client has: 304 without a picture where it is one of these",
    ),
]


@router.get(
    "/{turn}/frames/{index}",
    response_class=Response,
    responses={
        200: {
            "description": f"The picture. `{TURN_HEADER}` is the sequence of its turn",
            "content": {JPEG: {}},
            "headers": {
                "ETag": {"schema": {"type": "string"}, "description": "Names these bytes and no others"},
                TURN_HEADER: {"schema": {"type": "integer"}, "description": "Sequence of the turn"},
            },
        },
        304: {"description": "The client has this picture"},
    },
)
async def show_frame(ports: PortsOf, key: Key, turn: Turn, index: Index, if_none_match: Known = None) -> Response:
    """A picture that the model saw, byte for byte. Pictures are kept for the turns of the current chunk, until the
    session ends; after that it is `frame_gone`."""
    sequence = None if turn == "newest" else turn
    picture = await ports.pictures.of(key, sequence, index)
    if picture is None:
        raise FrameGone(sequence, index)
    headers = _headers(picture)
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(picture.jpeg, media_type=JPEG, headers=headers)


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether a request's `If-None-Match` names this strong tag (RFC 9110 §13.1.2)."""
    tags = [given.strip().removeprefix("W/") for given in (if_none_match or "").split(",")]
    return tag in tags or tags == ["*"]


def _headers(picture: TurnPicture) -> dict[str, str]:
    """A browser may keep the picture and must ask each time: whoever has it may have lost the right to see it."""
    return {
        "ETag": f'"{picture.uuid}"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        TURN_HEADER: str(picture.sequence),
    }
