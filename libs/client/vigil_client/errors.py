"""What can go wrong for whoever uses Vigil from outside.

ClientError                     message + next_step
├── NotConfigured               no gateway address or key is known
├── Unreachable                 nothing answers at that address                     (retryable)
├── Refused                     the gateway answered with a problem (RFC 9457)
│   ├── Unauthorised            401: the key is missing or wrong
│   ├── NotFound                404: no such session, or another tenant's
│   ├── Invalid                 4xx: what was asked for breaks a rule
│   └── Unavailable             5xx: no capacity, no worker, a dependency is down   (retryable)
├── NotAdmitted                 NATS answers, and does not let this user in
├── BadSubject                  a tenant, source or session that cannot be part of a subject
├── BadMessage                  an event that is not what the contract says
└── BadObservation              a module tells something that Vigil would refuse
"""


class ClientError(Exception):
    """Says what was wrong, and in `next_step` what to do about it; `lines` are the end of a log that tells more."""

    retryable = False

    def __init__(self, message: str, next_step: str = "", *, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.lines = lines
        if next_step:
            self.add_note(f"next: {next_step}")  # a traceback shows it, too


class NotConfigured(ClientError):
    """No gateway address or key is known."""


class Unreachable(ClientError):
    """Nothing answers at that address."""

    retryable = True


class Refused(ClientError):
    """The gateway answered with a problem. `status` is the HTTP status, `kind` the problem's type."""

    def __init__(self, message: str, next_step: str = "", *, status: int = 0, kind: str = "") -> None:
        super().__init__(message, next_step)
        self.status = status
        self.kind = kind


class Unauthorised(Refused):
    """The API key is missing or wrong."""


class NotFound(Refused):
    """No such thing for this tenant."""


class Invalid(Refused):
    """What was asked for breaks a rule."""


class Unavailable(Refused):
    """No capacity, no worker, something behind the gateway is down, or the key makes more requests than it may."""

    retryable = True


class NotAdmitted(ClientError):
    """NATS answers, and does not let the user of this address in: to try again changes nothing."""


class BadSubject(ClientError):
    """A tenant, source or session that cannot be part of a subject."""


class BadMessage(ClientError):
    """An event that is not what the contract says."""


class BadObservation(ClientError):
    """A module tells something that Vigil would refuse."""
