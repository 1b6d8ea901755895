"""Errors as RFC 9457 problems, the same through every door: one table from exception to status, title and next step.

`type` is a stable name that programs may switch on. Nothing of the request is echoed except what the error itself
names, and source URLs are redacted before they get here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from vigil.core.errors import CoreError, UnknownInstruction
from vigil.runtime import errors as port_errors
from vigil.runtime.process.grpc_requests import RequestUnreadable
from vigil_gateway.api import errors, turn_errors, whip_errors
from vigil_gateway.api.sizes import MAX_BODY_BYTES, MAX_CHAT_BODY_BYTES

TYPE_PREFIX = "urn:vigil:problem:"
# A message may quote the request. In gRPC it travels as a header, and clients take 8 KiB of headers by default.
MAX_DETAIL_CHARS = 800


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of error is answered."""

    kind: str
    status: int
    title: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as a client is told of it; `extra` has further members of the problem's JSON. A longer `detail` than
    `MAX_DETAIL_CHARS` is cut. `retry_after_s` are the whole seconds after which the same may succeed; 0: nobody knows.
    """

    row: Row
    detail: str
    extra: Mapping[str, object] = field(default_factory=dict)
    retry_after_s: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", self.detail[:MAX_DETAIL_CHARS])

    def as_json(self) -> dict[str, object]:
        """RFC 9457 problem details."""
        row = self.row
        members = {"type": f"{TYPE_PREFIX}{row.kind}", "title": row.title, "status": row.status}
        return {**members, "detail": self.detail, "next_step": row.next_step, **self.extra}


_LATER = "Try again in a few seconds; the operator sees the cause in /readyz and in the logs."
_NO_SESSION = Row("unknown_session", 404, "No such session", "List your sessions at /v1/sessions.")
_NO_SNAPSHOT = Row(
    "unknown_snapshot", 404, "No such snapshot", "Take the path from an alert's `snapshot`; pictures are kept 7 days."
)

TOO_LARGE = Row(
    "body_too_large",
    413,
    "The request body is too large",
    f"Send at most {MAX_BODY_BYTES // 1024} KiB, {MAX_CHAT_BODY_BYTES // 1024:,} KiB where it holds a picture.",
)

TABLE: dict[type[Exception], Row] = {
    errors.KeyMissing: Row(
        "key_missing", 401, "An API key is required", "Send the header `Authorization: Bearer <key>`."
    ),
    errors.KeyWrong: Row(
        "key_wrong",
        401,
        "The API key is not valid",
        "Use a key that `vigil keys add NAME` printed (in containers: `run --rm keys add NAME`).",
    ),
    errors.KeyExpired: Row(
        "key_expired",
        401,
        "The API key has expired",
        "Ask the operator for a new key (`vigil keys rotate`; in containers: `run --rm keys rotate`).",
    ),
    errors.RoleTooLow: Row(
        "role_too_low", 403, "The key's role does not suffice", "Use a key with the role that is named here."
    ),
    errors.LoginEnded: Row("login_ended", 401, "The login has ended", "Log in again at /v1/login."),
    errors.CsrfInvalid: Row(
        "csrf_token",
        403,
        "The CSRF token is missing or wrong",
        "Send the header `X-CSRF-Token` with the `csrf` that /v1/login answered.",
    ),
    errors.CrossSite: Row(
        "cross_site",
        403,
        "The request came from another site",
        "Send it from a page of this gateway, or with the header `Authorization: Bearer <key>` and no cookie.",
    ),
    errors.OidcOff: Row(
        "oidc_off", 404, "No identity provider", "Log in with a key; the operator sets VIGIL_OIDC_ISSUER."
    ),
    errors.OidcRefused: Row("oidc_refused", 401, "The login did not succeed", "Log in again at /v1/login/oidc."),
    errors.OidcNoRole: Row(
        "oidc_no_role",
        403,
        "The identity provider gives you no role here",
        "Ask whoever runs it for the claims that are named here.",
    ),
    errors.OidcUnavailable: Row(
        "oidc_unavailable",
        503,
        "The identity provider cannot be used",
        "Try again, or log in with a key; the operator sees the cause in the logs.",
    ),
    errors.TooManyLogins: Row(
        "too_many_logins",
        429,
        "Too many attempts to log in",
        "Wait as long as `Retry-After` says; the operator sets VIGIL_LOGIN_ATTEMPTS_PER_MINUTE.",
    ),
    errors.NotServed: Row(
        "not_served", 422, "It is not served here", "Leave `model` and `profile` out, or give the ones named here."
    ),
    errors.SourceRefused: Row(
        "source_fault", 422, "The source cannot be watched", "Correct the source and create the session again."
    ),
    errors.ProbeUnavailable: Row("probe_unavailable", 503, "The source could not be checked", _LATER),
    errors.NoWorker: Row(
        "no_worker", 503, "No worker is running", "Start the services that are named, then try again."
    ),
    errors.CapacityFull: Row(
        "capacity_full", 503, "Every worker is full", "End a session, add workers, or try again later."
    ),
    errors.TooManyStreams: Row(
        "too_many_streams", 429, "Too many live event streams", "Close a stream that is no longer read."
    ),
    errors.TooManyPreviews: Row("too_many_previews", 429, "Too many previews", "Close one that nobody looks at."),
    errors.NoPreview: Row(
        "no_preview", 409, "There is no preview", "Show the newest frame: /v1/sessions/{id}/turns/newest/frames/0."
    ),
    errors.NoSpeech: Row(
        "no_speech",
        409,
        "There is no sound",
        "Open a session with `hearing.is_on`, `voice.is_on` or both; see docs/speech.md.",
    ),
    errors.NotSpokenTo: Row(
        "not_spoken_to",
        409,
        "The session does not hear",
        "Open a session with `hearing.is_on`, or ask by POST /v1/sessions/{id}/queries.",
    ),
    errors.NotSpeaking: Row(
        "not_speaking", 409, "The session does not speak", "Open a session with `voice.is_on`; see docs/speech.md."
    ),
    errors.NoVoice: Row(
        "no_voice", 503, "Nobody speaks for the session now", "Try again in a moment. If it stays so, look at tts."
    ),
    errors.NotHeard: Row(
        "not_heard",
        409,
        "The session does not hear this module",
        'Have it hear the module: PATCH /v1/sessions/{id} {"modules": {"is_on": true, "names": [...]}}, or '
        "`vigil sessions change SESSION --modules --module NAME` with each module that it is to hear.",
    ),
    errors.SoundRefused: Row(
        "sound_refused",
        422,
        "The sound cannot be taken",
        "Send 16-bit little-endian mono samples at 16,000 Hz, as they are recorded; see docs/speech.md.",
    ),
    errors.TooManySessions: Row(
        "too_many_sessions",
        429,
        "Too many sessions",
        "End a session; the operator sets VIGIL_SESSIONS_PER_TENANT.",
    ),
    errors.TooManyPushes: Row(
        "too_many_pushes",
        429,
        "Too many pushed pictures",
        "Push fewer pictures a second, and wait for answers; the operator sets VIGIL_PUSHES_PER_TENANT_S and "
        "VIGIL_PUSHES_IN_FLIGHT_PER_TENANT.",
    ),
    errors.TooManyRequests: Row(
        "too_many_requests",
        429,
        "Too many requests",
        "Wait as long as `Retry-After` says; follow live events in the place of asking again and again; the operator "
        "sets VIGIL_REQUESTS_PER_KEY_S.",
    ),
    errors.TooManyAlertEvents: Row("too_many_events", 422, "Too many events", "Give a later `since`."),
    errors.TooManyAlerts: Row(
        "too_many_alerts", 422, "Too many alerts", "Give a later `since`, or only one source, watch or session."
    ),
    errors.UnknownAlert: Row(
        "unknown_alert", 404, "No such alert", "List your alerts at /v1/alerts; their events are kept 7 days."
    ),
    errors.AlertClosed: Row(
        "alert_closed", 409, "The alert has closed", "Nothing is left to do: open alerts are at /v1/alerts?open=true."
    ),
    errors.UnknownTask: Row(
        "unknown_task", 404, "No such task", "List the session's tasks at /v1/sessions/{id}/tasks."
    ),
    errors.UnknownArtefact: Row(
        "unknown_artefact", 404, "No such artefact", "Take the path from the task's `artefacts`; they are kept a day."
    ),
    errors.UnknownApproval: Row(
        "unknown_approval", 404, "No such approval", "List them at /v1/approvals; they are kept an hour."
    ),
    errors.ApprovalDecided: Row(
        "approval_decided", 409, "The approval has been decided", "Nothing is left to do: the first decision stays."
    ),
    errors.PatternWithRefusal: Row(
        "pattern_with_refusal", 422, "A refusal has no pattern", "Leave `pattern` out, or grant the action."
    ),
    errors.UnknownPattern: Row(
        "unknown_pattern", 404, "No such pattern", "List the patterns at /v1/approval-patterns."
    ),
    errors.BodyLate: Row("body_late", 408, "The body took too long", "Send the whole body at once."),
    errors.BodyTooLarge: TOO_LARGE,
    errors.NoSuchWebSocket: Row(
        "no_such_path", 404, "No such path", "Open the WebSocket at /v1/sessions/{id}/ws or /audio; see docs/live.md."
    ),
    errors.TextInvalid: Row("text_invalid", 422, "A text is not valid Unicode", "Send each text as whole characters."),
    RequestUnreadable: Row(
        "malformed_message", 400, "The message cannot be read", "Send the messages of vigil/v1/gateway.proto."
    ),
    errors.SessionChanged: Row("session_changed", 400, "One session a call", "Make one call for each session."),
    errors.HostRefused: Row(
        "host_refused",
        421,
        "The request is for another host",
        "Use the gateway's address or localhost, or have the operator list the name in VIGIL_AGENT_HOSTS.",
    ),
    errors.OriginRefused: Row(
        "origin_refused",
        403,
        "A page of another site sent the request",
        "Send it from no web page, or have the operator list the page's host in VIGIL_AGENT_HOSTS.",
    ),
    errors.ShuttingDown: Row("shutting_down", 503, "The gateway is shutting down", "Connect again."),
    errors.NoSuchSession: _NO_SESSION,
    errors.FrameGone: Row(
        "frame_gone", 404, "The picture is gone", "Ask for `newest`; the pictures of alerts are kept for 7 days."
    ),
    errors.MemoryFrameGone: Row(
        "frame_gone", 404, "The picture is gone", "Read the memory again: it names the pictures that are there."
    ),
    errors.MemoryUnavailable: Row(
        "memory_unavailable",
        503,
        "Nothing can be recalled now",
        "Read /v1/sessions/{id}/memory/archive, or try again; the operator starts the service `memory`.",
    ),
    errors.TurnGone: Row("turn_gone", 404, "The prompt is gone", "Ask for a newer turn: /turns lists them."),
    port_errors.UnknownSession: _NO_SESSION,
    port_errors.SessionEnded: Row("session_ended", 409, "The session has ended", "Create a new session."),
    port_errors.InboxFull: Row(
        "inbox_full", 429, "Too many commands are waiting", "Wait until the session's next turns have taken them."
    ),
    port_errors.AgentTasksFull: Row(
        "too_many_tasks",
        429,
        "Too many tasks",
        "Cancel tasks that are no longer needed; those that are over are dropped.",
    ),
    port_errors.AgentTaskChanged: Row(
        "task_changed", 409, "The task was changed meanwhile", "Read the task, and send the request again."
    ),
    port_errors.StoreFull: Row(
        "store_full", 503, "The session store is full", "End sessions, or give Redis more memory."
    ),
    port_errors.StoreNewer: Row(
        "session_newer",
        503,
        "The session was stored by a newer release",
        "Try again: a replica of that release can serve it. The operator upgrades the other replicas.",
    ),
    port_errors.StoreCorrupt: Row(
        "session_unreadable", 500, "The session cannot be read", "End the session and create a new one."
    ),
    port_errors.SnapshotMissing: _NO_SNAPSHOT,
    port_errors.StoreError: Row("store_unavailable", 503, "The session store cannot be used", _LATER),
    port_errors.BusError: Row("bus_unavailable", 503, "The message bus cannot be used", _LATER),
    UnknownInstruction: Row(
        "unknown_instruction", 404, "No such instruction", "List the session's instructions and watches for their ids."
    ),
    turn_errors.SessionHeaderInvalid: Row(
        "session_header",
        400,
        "Which session?",
        "Send a header x-session-id: the session's name in it, up to 128 characters.",
    ),
    turn_errors.ChatUnsupported: Row("unsupported", 400, "Not supported here", "See /docs."),
    turn_errors.NothingShown: Row(
        "nothing_shown", 400, "A turn needs a picture", "Put an `image_url` part with a data URL into it."
    ),
    turn_errors.PictureRefused: Row("picture_refused", 400, "The picture cannot be used", "Correct the picture."),
    turn_errors.NoSuchModel: Row("model_not_found", 404, "No such model", "List the models at /v1/models."),
    turn_errors.NotPushed: Row(
        "not_pushed", 409, "The session has a camera", "Ask it at /v1/sessions/{id}/queries, or name another session."
    ),
    turn_errors.AlreadyBegun: Row(
        "already_begun",
        409,
        "The session has begun",
        "Leave `vigil.watches` and `vigil.instructions` out: add more at /v1/sessions/{id}/watches and /instructions.",
    ),
    turn_errors.TimeNotLater: Row(
        "time_not_later", 409, "The picture is not newer than the last one", "Let the picture's `time_s` grow."
    ),
    turn_errors.TurnInFlight: Row(
        "turn_in_flight", 429, "One turn at a time", "Wait for the answer before the next picture."
    ),
    turn_errors.TurnSuperseded: Row("turn_superseded", 409, "A newer picture came first", "Send the picture of now."),
    turn_errors.TurnLate: Row("turn_late", 504, "No decision in time", _LATER),
    turn_errors.TurnDropped: Row(
        "turn_dropped", 503, "The turn was dropped", "Send the picture of now; one of a recording may be sent again."
    ),
    turn_errors.TurnRefused: Row(
        "turn_refused",
        502,
        "The engine refuses the turn",
        "Send another picture; the operator sees the cause in the logs.",
    ),
    turn_errors.PictureOld: Row("picture_old", 409, "The picture is not of now any more", "Send the picture of now."),
    turn_errors.KeyUsed: Row(
        "key_used",
        422,
        "The idempotency key is another call's",
        "Give each call an Idempotency-Key of its own, or none.",
    ),
    turn_errors.TurnIdle: Row(
        "turn_idle", 409, "The session has nothing to do", "Ask a question, or add a watch or an instruction."
    ),
    whip_errors.MediaTypeWrong: Row(
        "media_type_wrong", 415, "The body has another media type", "Send it with the Content-Type that is named here."
    ),
    whip_errors.SdpTooLarge: Row(
        "sdp_too_large", 413, "The SDP is too large", "Offer one video, one audio and fewer codecs."
    ),
    whip_errors.OfferWrong: Row(
        "offer_wrong", 400, "The offer cannot be answered", "Send the offer of one RTCPeerConnection, as it is."
    ),
    whip_errors.NoVideo: Row(
        "no_video", 422, "The offer sends no video", "Add a video track that sends (sendonly) before offering."
    ),
    whip_errors.CodecUnsupported: Row(
        "codec_unsupported", 422, "No offered video codec can be decoded", "Offer H.264 or VP8."
    ),
    whip_errors.FragmentWrong: Row(
        "fragment_wrong", 400, "The SDP fragment cannot be read", "Send ICE candidates as RFC 8840 has them."
    ),
    whip_errors.NotWebrtc: Row(
        "not_webrtc",
        409,
        "Nothing can be published into this session",
        'Open a session with the source {"kind": "webrtc"}, or publish at /v1/whip.',
    ),
    whip_errors.AlreadyPublished: Row(
        "already_published",
        409,
        "Another client publishes into the session",
        "End its connection, or publish with ?replace=true to take its place.",
    ),
    whip_errors.PublishersFull: Row(
        "publishers_full",
        503,
        "The worker has no room for another connection",
        "Try again later; the operator adds ingestion workers or raises VIGIL_WEBRTC_PEERS.",
    ),
    whip_errors.NoSuchPublication: Row(
        "unknown_connection", 404, "No such connection", "Publish again: the connection has ended."
    ),
    whip_errors.IfMatchMissing: Row(
        "if_match_missing", 428, "If-Match is needed", "Send the `ETag` of the offer's answer as `If-Match`."
    ),
    whip_errors.IfMatchFailed: Row(
        "if_match_failed", 412, "Another ICE session", "Send the `ETag` of the offer's answer as `If-Match`."
    ),
    whip_errors.IceRestartUnsupported: Row(
        "ice_restart_unsupported",
        422,
        "ICE is not restarted here",
        "The connection stays. To change the network, end it and publish again: the session goes on.",
    ),
    whip_errors.NotHeld: Row(
        "not_held", 503, "No ingestion worker took the session", "Try again; /v1/health says whether workers are there."
    ),
    whip_errors.SignallingFailed: Row("signalling_failed", 504, "The worker did not answer", _LATER),
    CoreError: Row("invalid_value", 422, "A value breaks a rule", "Correct the value that is named."),
}

MALFORMED = Row("malformed_json", 400, "The body is not JSON", "Send one JSON object, as the API page at /docs shows.")
INVALID = Row("invalid_request", 422, "The request breaks a rule", "Correct the fields listed in `errors`; see /docs.")
NO_ROUTE = Row("no_such_path", 404, "No such path", "See /docs for the paths there are.")
NO_METHOD = Row("method_not_allowed", 405, "The path does not take this method", "See /docs for its methods.")
INTERNAL = Row(
    "internal", 500, "The gateway failed", "Report it with the time of the request; the cause is in the logs."
)


def row_of(error: Exception) -> Row:
    """The row of the error's class, or of the nearest class it derives from."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)


def problem_of(error: Exception) -> Problem:
    """What a client is told of `error`. Of an unexpected error, only that it happened."""
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors(), within=1)
    if isinstance(error, ValidationError):
        return _invalid(error.errors(), within=0)
    if isinstance(error, port_errors.UnknownSession):
        error = errors.NoSuchSession(error.key.session)
    row = row_of(error)
    if row is INTERNAL:
        return Problem(row, "something unforeseen happened while the request was served")
    extra = {"fault": error.fault} if isinstance(error, errors.SourceRefused) else {}
    retry_after_s = (
        math.ceil(error.retry_after_s) if isinstance(error, errors.TooManyRequests | errors.TooManyLogins) else 0
    )
    return Problem(row, str(error), extra, retry_after_s)


def _invalid(found: Sequence[Any], *, within: int) -> Problem:
    """Pydantic's faults. The first `within` parts of a fault's location say where the request has it: in its body."""
    broken = next((fault for fault in found if fault["type"] == "json_invalid"), None)
    if broken is not None:
        where = f"at character {broken['loc'][-1]}" if broken["loc"] else broken["msg"]
        return Problem(MALFORMED, f"the body cannot be read as JSON ({where})")
    faults = [{"field": _field(fault["loc"], within), "message": _short(fault["msg"])} for fault in found]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
    return Problem(INVALID, detail, {"errors": faults})


def _field(location: Sequence[object], within: int) -> str:
    return _short(".".join(str(part) for part in location[within:]) or ".".join(str(part) for part in location))


def _short(text: str) -> str:
    return text[:MAX_DETAIL_CHARS]
