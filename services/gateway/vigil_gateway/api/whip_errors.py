"""What is refused to a client that publishes by WHIP, one class per reason; `problems.py` says how each is answered.

GatewayError
└── WhipError
    ├── MediaTypeWrong          the body is not of the media type that this request takes
    ├── SdpTooLarge             more bytes than an offer or a fragment may have
    ├── OfferWrong              the offer cannot be read, or asks for what is not done here
    ├── NoVideo                 the offer sends no video
    ├── CodecUnsupported        none of the offered video codecs can be decoded
    ├── FragmentWrong           the SDP fragment cannot be read
    ├── NotWebrtc               the session has another kind of source
    ├── AlreadyPublished        another client publishes into the session
    ├── PublishersFull          the worker that holds the session has no room for one more connection
    ├── NoSuchPublication       no connection of that name, or no longer
    ├── IfMatchMissing          candidates without the entity-tag of their ICE session
    ├── IfMatchFailed           candidates of another ICE session
    ├── IceRestartUnsupported   ICE is not restarted here: the client publishes again
    ├── NotHeld                 no ingestion worker took the session in time
    └── SignallingFailed        the worker did not answer in time, or not readably
"""

from vigil_gateway.api.errors import GatewayError


class WhipError(GatewayError):
    """A request of a client that publishes by WHIP that cannot be served."""


class MediaTypeWrong(WhipError):
    """The body is not of the media type that this request takes."""

    def __init__(self, needed: str, given: str) -> None:
        super().__init__(f"the body must be {needed}, not {given[:80] or 'without a Content-Type'}")


class SdpTooLarge(WhipError):
    """An offer or a fragment of more bytes than it may have."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the SDP has {size:,} bytes, more than {limit:,}")


class OfferWrong(WhipError):
    """The offer cannot be read, or asks for what is not done here."""


class NoVideo(WhipError):
    """The offer sends no video."""


class CodecUnsupported(WhipError):
    """None of the offered video codecs can be decoded."""


class FragmentWrong(WhipError):
    """The SDP fragment cannot be read."""


class NotWebrtc(WhipError):
    """The session has another kind of source: nothing can be published into it."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the session's source is of the kind {kind}, not webrtc")


class AlreadyPublished(WhipError):
    """Another client publishes into the session."""


class PublishersFull(WhipError):
    """The worker that holds the session has no room for one more connection."""


class NoSuchPublication(WhipError):
    """No connection of that name, or no longer."""


class IfMatchMissing(WhipError):
    """Candidates without the entity-tag of their ICE session."""

    def __init__(self) -> None:
        super().__init__("the request has no If-Match, so nobody knows to which ICE session its candidates belong")


class IfMatchFailed(WhipError):
    """Candidates of another ICE session than the connection's."""

    def __init__(self) -> None:
        super().__init__("If-Match names another ICE session than this connection's")


class IceRestartUnsupported(WhipError):
    """ICE is not restarted here: the client publishes again. The connection stays as it is."""

    def __init__(self, message: str = "ICE is not restarted here") -> None:
        super().__init__(message)


class NotHeld(WhipError):
    """No ingestion worker took the session in time."""

    def __init__(self, within_s: float) -> None:
        super().__init__(f"no ingestion worker took the session within {within_s:g} s")


class SignallingFailed(WhipError):
    """The worker that holds the session did not answer in time, or its answer cannot be read."""
