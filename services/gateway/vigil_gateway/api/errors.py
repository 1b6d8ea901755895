"""What the gateway itself refuses, one class per reason; `problems.py` says how each is answered.

GatewayError
├── KeyMissing, KeyWrong      who is asking
├── NoSuchWebSocket           no WebSocket is at this path
├── KeyExpired, RoleTooLow    a key that is known, and may not do this
├── LoginEnded                a cookie whose login holds no longer
├── CsrfInvalid, CrossSite    a request with a cookie that a page of this gateway did not cause
├── OidcOff                   no identity provider is configured
├── OidcRefused, OidcNoRole   a login at the identity provider that ends in none here
├── OidcUnavailable           the identity provider does not answer
├── TooManyLogins             an address tries to log in more often than it may
├── NoSuchSession             of this tenant; another tenant's is answered the same way
├── FrameGone, TurnGone       a turn whose picture or prompt is not kept any more, or that never was
├── MemoryFrameGone           a picture of a memory that is not kept any more, or that never was
├── MemoryUnavailable         no memory service answers
├── NotServed                 a model or a prompt profile that no worker here runs
├── SourceRefused             the source was opened and cannot be watched
├── ProbeUnavailable          no ingestion worker answered within the deadline
├── NoWorker, CapacityFull    nobody can take the session
├── TooManyStreams            the tenant's live streams are all in use
├── TooManyPreviews, NoPreview  smooth pictures of sessions
├── NoSpeech, NotSpokenTo     sound of a session that neither hears nor speaks, or does not hear
├── NotSpeaking               an announcement for a session that does not speak
├── NoVoice                   an announcement for a session that no tts worker speaks for now
├── NotHeard                  an observation of a module that the session does not hear
├── SoundRefused              sound that cannot be taken as it comes
├── TooManySessions           the tenant has as many sessions open as it may
├── TooManyPushes             the tenant pushes more pictures than it may
├── TooManyRequests           the key makes more requests than it may
├── TooManyAlertEvents        a time for which there are more events of alerts than one request reads
├── TooManyAlerts             more alerts than one file holds
├── UnknownAlert              the tenant has no alert of that id
├── AlertClosed               an alert that has closed: nobody need see to it
├── BodyLate                  a body that did not come whole in time
├── BodyTooLarge              a request of more bytes than are taken
├── TextInvalid               a text that is not valid Unicode
├── SessionChanged            one call names two sessions
├── HostRefused, OriginRefused  an agent's request that names another machine, or comes from a page elsewhere
├── UnknownTask               the session has no delegated question of that id
├── UnknownArtefact           the task has no such file, or it is not kept any more
├── UnknownApproval           the tenant's brains have not asked for an approval of that id
├── ApprovalDecided           an approval that was decided otherwise, or whose time is over
├── PatternWithRefusal        a pattern that would grant, with a refusal
├── UnknownPattern            the tenant has no pattern of that id
└── ShuttingDown              this gateway serves no longer
"""

from datetime import UTC, datetime

from vigil.contract.api_keys import KeyRole
from vigil.core.approval import Approval, ApprovalState
from vigil.core.modules import Modules


class GatewayError(Exception):
    """A request that the gateway cannot serve; the message says what was wrong."""


class KeyMissing(GatewayError):
    """The request carries no API key."""

    def __init__(self) -> None:
        super().__init__("the request carries no API key")


class KeyWrong(GatewayError):
    """The API key is not one that this gateway knows."""

    def __init__(self) -> None:
        super().__init__("the API key is not known here")


class KeyExpired(GatewayError):
    """The API key was valid until a time that is past."""

    def __init__(self, expired: datetime) -> None:
        super().__init__(f"the API key has expired ({expired.astimezone(UTC):%Y-%m-%d %H:%M} UTC)")


class RoleTooLow(GatewayError):
    """The key's role may not do this."""

    def __init__(self, role: KeyRole, needed: KeyRole) -> None:
        super().__init__(f"a key with the role {role} may not do this: it takes the role {needed}")


class LoginEnded(GatewayError):
    """The cookie's login is over: it ran out, somebody ended it, or its key was removed or changed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the login has ended: {why}")


class CsrfInvalid(GatewayError):
    """A request with a cookie would change something, and does not carry the login's CSRF token."""

    def __init__(self) -> None:
        super().__init__("a request with the cookie of a login that changes something needs the login's CSRF token")


class CrossSite(GatewayError):
    """The browser says that a page of another site caused the request."""

    def __init__(self) -> None:
        super().__init__("the browser does not say that a page of this gateway caused the request")


class OidcOff(GatewayError):
    """Nobody may log in at an identity provider: none is configured."""

    def __init__(self) -> None:
        super().__init__("no identity provider is configured here")


class OidcRefused(GatewayError):
    """A login at the identity provider was not begun here, was refused there, or its token does not hold."""


class OidcNoRole(GatewayError):
    """The identity provider vouches for the person, and nothing says which tenant or role that person has here."""


class OidcUnavailable(GatewayError):
    """The identity provider does not answer, or does not say what a login needs."""


class TooManyLogins(GatewayError):
    """The address tries to log in more often than it may. `retry_after_s` are the seconds until it may try again."""

    def __init__(self, per_minute: int, retry_after_s: float) -> None:
        super().__init__(f"this address tries to log in more than {per_minute} times a minute, as often as it may")
        self.retry_after_s = retry_after_s


class NoSuchSession(GatewayError):
    """The tenant has no session of that id. The answer is the same when another tenant has one."""

    def __init__(self, session: str) -> None:
        super().__init__(f"there is no session {session[:80]!r}")


class FrameGone(GatewayError):
    """A picture that the model saw and that is not kept any more, or that never was."""

    def __init__(self, turn: int | None, index: int) -> None:
        of = "the newest turn" if turn is None else f"turn {turn}"
        super().__init__(
            f"there is no frame {index} of {of}: pictures are kept for the turns of the current chunk, until the "
            "session ends"
        )


class TurnGone(GatewayError):
    """A turn whose prompt cannot be shown any more, or that never was."""

    def __init__(self, turn: int) -> None:
        super().__init__(
            f"the prompt of turn {turn} cannot be shown: only turns that were asked in the current chunk have one"
        )


class MemoryFrameGone(GatewayError):
    """A picture of a session's memory that is not kept any more, or that never was."""

    def __init__(self, frame: str) -> None:
        super().__init__(
            f"there is no picture {frame[:80]!r} in the memory: those of summarised spans make way for newer ones, and "
            "all are kept until the session ends"
        )


class MemoryUnavailable(GatewayError):
    """No memory service answered, so nothing was recalled."""


class NoSuchWebSocket(GatewayError):
    """A handshake at a path where there is no WebSocket."""

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no WebSocket at {path[:200]}")


class NotServed(GatewayError):
    """A model or a prompt profile that this deployment does not run; `what` is which of the two."""

    def __init__(self, what: str, asked: str, *served: str) -> None:
        names = " or ".join(repr(name) for name in served)
        super().__init__(f"this deployment serves the {what} {names}, not {asked[:80]!r}")


class SourceRefused(GatewayError):
    """The source cannot be watched. `fault` is one word of `SourceFault`, in lower case."""

    def __init__(self, fault: str, message: str) -> None:
        self.fault = fault
        super().__init__(message)


class ProbeUnavailable(GatewayError):
    """Ingestion did not answer the probe, so nothing is known about the source."""


class NoWorker(GatewayError):
    """No live worker of a role that every session needs."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        self.roles = roles
        super().__init__(f"no live worker for: {', '.join(roles)}")


class CapacityFull(GatewayError):
    """Workers are there, and every one of them is full."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        self.roles = roles
        super().__init__(f"every worker is full for: {', '.join(roles)}")


class TooManyStreams(GatewayError):
    """The tenant has as many live event streams open as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"this tenant has {limit} live event streams open, as many as it may")


class TooManyPreviews(GatewayError):
    """The tenant looks at as many smooth pictures as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"this tenant looks at {limit} previews at once already, which is the limit")


class NoPreview(GatewayError):
    """A session whose pictures a client pushes has no smooth picture."""

    def __init__(self, session: str) -> None:
        super().__init__(f"the pictures of the session {session[:80]!r} are pushed by its client: there is no preview")


class NoSpeech(GatewayError):
    """A session that neither hears nor speaks has no sound."""

    def __init__(self, session: str) -> None:
        super().__init__(f"the session {session[:80]!r} neither hears nor speaks")


class NotSpokenTo(GatewayError):
    """A session that does not hear takes no sound of a microphone."""

    def __init__(self, session: str) -> None:
        super().__init__(f"the session {session[:80]!r} speaks, and does not hear")


class NotSpeaking(GatewayError):
    """A session that does not speak takes no announcement."""

    def __init__(self, session: str) -> None:
        super().__init__(f"the session {session[:80]!r} does not speak")


class NoVoice(GatewayError):
    """No tts worker speaks for the session now, so that an announcement would be lost."""

    def __init__(self, session: str) -> None:
        super().__init__(f"no tts worker speaks for the session {session[:80]!r} now: nothing was said")


class NotHeard(GatewayError):
    """The session's options say that the model is not told what this module notices."""

    def __init__(self, session: str, module: str, modules: Modules) -> None:
        hears = f"hears only {', '.join(modules.names)}" if modules.is_on else "hears no modules"
        super().__init__(f"the session {session[:80]!r} {hears}: it is not told what {module!r} notices")


class SoundRefused(GatewayError):
    """Sound that cannot be taken as it comes; the message says why."""


class TooManySessions(GatewayError):
    """The tenant has as many sessions open as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"this tenant has {limit} sessions open, as many as it may")


class TooManyPushes(GatewayError):
    """The tenant pushes more pictures than it may, at once or in a second."""


class TooManyRequests(GatewayError):
    """The API key makes more requests than it may. `retry_after_s` are the seconds until it may make one."""

    def __init__(self, per_s: float, retry_after_s: float) -> None:
        super().__init__(f"this key makes more than {per_s:g} requests a second, as many as it may")
        self.retry_after_s = retry_after_s


class TooManyAlertEvents(GatewayError):
    """There are more events of alerts since then than one request reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are more than {limit:,} events of alerts since then")


class TooManyAlerts(GatewayError):
    """There are more alerts than one file holds."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are more than {limit:,} such alerts since then, more than one file holds")


class UnknownAlert(GatewayError):
    """The tenant has no alert of that id. The answer is the same when another tenant has one."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(f"there is no alert {alert_id[:200]!r}")


class AlertClosed(GatewayError):
    """The alert has closed, so that nothing can be done about it any more."""

    def __init__(self, alert_id: str, reason: str) -> None:
        super().__init__(f"the alert {alert_id[:200]!r} has closed ({reason[:200]})")


class UnknownTask(GatewayError):
    """The session has no delegated question of that id, or no longer."""

    def __init__(self, task: str) -> None:
        super().__init__(f"there is no task {task[:200]!r} in this session")


class UnknownArtefact(GatewayError):
    """The task has no file of that number, or it is not kept any more."""

    def __init__(self, task: str, index: int) -> None:
        super().__init__(f"there is no artefact {index} of the task {task[:200]!r}")


class UnknownApproval(GatewayError):
    """No brain of the tenant has asked for an approval of that id. The answer is the same when another tenant's has."""

    def __init__(self, approval: str) -> None:
        super().__init__(f"there is no approval {approval[:200]!r}")


class ApprovalDecided(GatewayError):
    """The approval was decided otherwise before, or its time is over: the first decision stays."""

    def __init__(self, approval: Approval) -> None:
        named = f"the approval {approval.id!r}"
        if approval.state is ApprovalState.EXPIRED:
            super().__init__(f"the time of {named} is over: it was refused by itself")
        else:
            super().__init__(f"{named} was {approval.state} by {approval.by or 'somebody'} before")


class PatternWithRefusal(GatewayError):
    """A pattern grants later actions; it cannot go with a refusal."""

    def __init__(self) -> None:
        super().__init__("a pattern grants later actions like this one, and this one is refused")


class UnknownPattern(GatewayError):
    """The tenant has no pattern of approvals of that id."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"there is no pattern {pattern[:200]!r}")


class BodyLate(GatewayError):
    """The body of a request did not come whole in time."""

    def __init__(self, within_s: float) -> None:
        super().__init__(f"the body did not come whole within {within_s:g} s")


class BodyTooLarge(GatewayError):
    """The request is larger than requests of its kind may be."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the body is larger than {limit_bytes:,} bytes")


class TextInvalid(GatewayError):
    """A text of the request has half of a character (a lone surrogate), so it cannot be stored or sent on."""

    def __init__(self) -> None:
        super().__init__("a text of the body has half of a surrogate pair (\\ud800 to \\udfff) without the other half")


class SessionChanged(GatewayError):
    """A call that is about one session names another one later on."""

    def __init__(self, session: str) -> None:
        super().__init__(f"this call pushes pictures into the session {session}, and then named another one")


class HostRefused(GatewayError):
    """The request names a host that is not this gateway, as one of a page whose DNS was turned to it would."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the request is for the host {host[:200]!r}, by which no agent reaches this gateway")


class OriginRefused(GatewayError):
    """The browser says that a page of another site sends the request."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"a page of {origin[:200]!r} may not send requests to this gateway")


class ShuttingDown(GatewayError):
    """This gateway is being stopped; another one, or the next one, serves."""

    def __init__(self) -> None:
        super().__init__("the gateway is shutting down")
