"""Where a session's pictures come from, and which kinds of worker the session needs for that."""

from dataclasses import dataclass
from enum import StrEnum

from vigil.core.errors import InvalidSpec
from vigil.core.ids import token


class SourceKind(StrEnum):
    """How pictures reach Vigil."""

    FILE = "file"  # ingestion plays a file as a camera would show it
    RTSP = "rtsp"  # ingestion pulls a camera's stream
    HTTP = "http"  # ingestion pulls a stream or a recording
    PUSHED = "pushed"  # a client sends each picture through the gateway
    WEBRTC = "webrtc"  # a client sends its camera or screen to ingestion by WebRTC


class Role(StrEnum):
    """What a worker does with a session that it holds. Each role holds a session at most once."""

    INGESTION = "ingestion"
    CODEC = "codec"
    INTERACTION = "interaction"
    ASR = "asr"
    TTS = "tts"


_KINDS = {
    "file": SourceKind.FILE,
    "rtsp": SourceKind.RTSP,
    "rtsps": SourceKind.RTSP,
    "http": SourceKind.HTTP,
    "https": SourceKind.HTTP,
}
WATCHING_ROLES = (Role.INGESTION, Role.CODEC, Role.INTERACTION)
"""The roles that watch a source. The others hear and speak for the session: without them it is watched all the same."""
_PUSHED = (Role.CODEC, Role.INTERACTION)
_SENT = frozenset({SourceKind.PUSHED, SourceKind.WEBRTC})


def roles_of(kind: SourceKind) -> tuple[Role, ...]:
    """The roles that a session needs to watch a source of this kind."""
    return _PUSHED if kind is SourceKind.PUSHED else WATCHING_ROLES


def has_address(kind: SourceKind) -> bool:
    """Whether Vigil pulls such a source from an address. Of the others a client sends the pictures."""
    return kind not in _SENT


@dataclass(frozen=True, slots=True)
class Source:
    """A camera, a file or a client that sends its pictures.

    `id` is the token of the source in subjects, `name` free text for people. A source whose client sends the pictures
    (pushed, WebRTC) has no `url`. `loop` starts a file again when it ends.
    """

    id: str
    kind: SourceKind
    url: str = ""
    name: str = ""
    loop: bool = False

    def __post_init__(self) -> None:
        token(self.id, "source id")
        if bool(self.url) != has_address(self.kind):
            raise InvalidSpec("a pushed or webrtc source has no address, and every other source needs one")

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that a session needs to watch it."""
        return roles_of(self.kind)


def kind_of(url: str) -> SourceKind:
    """The kind of the source at an address that Vigil pulls. Raises `InvalidSpec` for a scheme that it cannot read."""
    if not url.isprintable():
        raise InvalidSpec("the source's address holds a control character: check that it was copied whole")
    scheme = url.partition(":")[0].lower()
    if scheme not in _KINDS:
        raise InvalidSpec("the source's address must begin with file:///, rtsp://, rtsps://, http:// or https://")
    return _KINDS[scheme]
