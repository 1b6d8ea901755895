"""What the OpenAI-compatible door refuses, one class per reason; `problems.py` says how each is answered.

GatewayError
└── ChatError
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
    └── TurnLate               no decision within the deadline
"""

from vigil_gateway.http.errors import GatewayError


class ChatError(GatewayError):
    """A call of the OpenAI-compatible door that cannot be served."""


class SessionHeaderInvalid(ChatError):
    """Which session is meant is not said, or said twice."""


class ChatUnsupported(ChatError):
    """Something of the OpenAI API that a turn does not have."""


class NothingShown(ChatError):
    """There is no user message, or it has no picture."""


class PictureRefused(ChatError):
    """What was sent is no picture that can be shown to the model."""


class NoSuchModel(ChatError):
    """Another model than this session's, or than there is."""


class NotPushed(ChatError):
    """The session has a camera of its own: pictures cannot be pushed into it."""


class AlreadyBegun(ChatError):
    """What only a first turn may bring came with a later one."""


class TimeNotLater(ChatError):
    """By the client's clock the picture is not newer than the session's last one."""


class TurnInFlight(ChatError):
    """The session's last call is still being answered."""


class TurnSuperseded(ChatError):
    """A newer picture came first, so this one was never shown to the model."""


class TurnLate(ChatError):
    """No decision within the deadline."""
