"""What is refused to a client that pushes pictures, one class per reason; `problems.py` says how each is answered.

GatewayError
└── TurnError
    ├── SessionHeaderInvalid   which session is meant is not said, or said twice
    ├── ChatUnsupported        streaming, several choices
    ├── NothingShown           no user message, or one without a picture
    ├── PictureRefused         what was sent is no picture that can be shown to the model
    ├── NoSuchModel            another model than this session's, or than there is
    ├── NotPushed              the session has a camera of its own
    ├── AlreadyBegun           what only a first turn may bring came with a later one
    ├── TimeNotLater           the picture is not newer than the session's last one
    ├── TurnInFlight           the session's last call is still being answered
    ├── TurnSuperseded         a newer picture came first
    ├── TurnLate               no decision within the deadline
    ├── TurnDropped            no decision: the workers dropped the turn, and another try may succeed
    ├── TurnRefused            no decision: the engine refuses this picture or this session's prompt
    ├── PictureOld             a picture of now that is sent again, and was not shown before
    ├── KeyUsed                an idempotency key that another call had
    └── TurnIdle               no decision: the session saves compute while there is nothing to do
"""

from vigil_gateway.api.errors import GatewayError


class TurnError(GatewayError):
    """A turn of a client that cannot be served."""


class SessionHeaderInvalid(TurnError):
    """Which session is meant is not said, or said twice."""


class ChatUnsupported(TurnError):
    """Something of the OpenAI API that a turn does not have."""


class NothingShown(TurnError):
    """There is no user message, or it has no picture."""


class PictureRefused(TurnError):
    """What was sent is no picture that can be shown to the model."""


class NoSuchModel(TurnError):
    """Another model than this session's, or than there is."""


class NotPushed(TurnError):
    """The session has a camera of its own: pictures cannot be pushed into it."""


class AlreadyBegun(TurnError):
    """What only a first turn may bring came with a later one."""


class TimeNotLater(TurnError):
    """By the client's clock the picture is not newer than the session's last one."""


class TurnInFlight(TurnError):
    """The session's last call is still being answered."""


class TurnSuperseded(TurnError):
    """A newer picture came first, so this one was never shown to the model."""


class TurnLate(TurnError):
    """No decision within the deadline."""


class TurnDropped(TurnError):
    """The workers dropped the turn; the message says why, in the engine's words where it failed."""


class TurnRefused(TurnError):
    """The engine refuses the turn; the message has its words."""


class TurnIdle(TurnError):
    """The session was asked to save compute while there is nothing to watch for or to answer."""


class PictureOld(TurnError):
    """A picture without a time is of now. It was sent before and is not of now any more."""


class KeyUsed(TurnError):
    """The last call's idempotency key came with other pictures, another time or another question."""
