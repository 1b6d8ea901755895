"""Errors as RFC 9457 problems: one table from exception to status, title and next step. The paths that clients of
OpenAI's API call answer in that API's shape instead.

Every answer that is not a success has this form, with `type` a stable name that programs may switch on. Nothing of
the request is echoed except what the error itself names, and source URLs are redacted before they get here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vigil.core.errors import CoreError, UnknownInstruction
from vigil.runtime import errors as port_errors
from vigil.runtime.process.logs import get_log
from vigil_gateway.http import errors
from vigil_gateway.openai import error_body
from vigil_gateway.openai import errors as chat_errors

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:vigil:problem:"

log = get_log()


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of error is answered."""

    kind: str
    status: int
    title: str
    next_step: str


_LATER = "Try again in a few seconds; the operator sees the cause in /readyz and in the logs."
_NO_SESSION = Row("unknown_session", 404, "No such session", "List your sessions at /v1/sessions.")
_NO_SNAPSHOT = Row(
    "unknown_snapshot", 404, "No such snapshot", "Take the path from an alert's `snapshot`; pictures are kept 7 days."
)

TABLE: dict[type[Exception], Row] = {
    errors.KeyMissing: Row(
        "key_missing", 401, "An API key is required", "Send the header `Authorization: Bearer <key>`."
    ),
    errors.KeyWrong: Row(
        "key_wrong", 401, "The API key is not valid", "Use a key whose SHA-256 is in the gateway's key file."
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
    errors.NoSuchSession: _NO_SESSION,
    port_errors.UnknownSession: _NO_SESSION,
    port_errors.SessionEnded: Row("session_ended", 409, "The session has ended", "Create a new session."),
    port_errors.InboxFull: Row(
        "inbox_full", 429, "Too many commands are waiting", "Wait until the session's next turns have taken them."
    ),
    port_errors.StoreFull: Row(
        "store_full", 503, "The session store is full", "End sessions, or give Redis more memory."
    ),
    port_errors.SnapshotMissing: _NO_SNAPSHOT,
    port_errors.StoreError: Row("store_unavailable", 503, "The session store cannot be used", _LATER),
    port_errors.BusError: Row("bus_unavailable", 503, "The message bus cannot be used", _LATER),
    UnknownInstruction: Row(
        "unknown_instruction", 404, "No such instruction", "List the session's instructions and watches for their ids."
    ),
    chat_errors.SessionHeaderInvalid: Row(
        "session_header", 400, "Which session?", "Send a header x-session-id: 1 to 64 letters, digits, '_' or '-'."
    ),
    chat_errors.ChatUnsupported: Row("unsupported", 400, "Not supported here", "See /docs."),
    chat_errors.NothingShown: Row(
        "nothing_shown", 400, "A turn needs a picture", "Put an `image_url` part with a data URL into it."
    ),
    chat_errors.PictureRefused: Row("picture_refused", 400, "The picture cannot be used", "Correct the picture."),
    chat_errors.NoSuchModel: Row("model_not_found", 404, "No such model", "List the models at /v1/models."),
    chat_errors.NotPushed: Row(
        "not_pushed", 409, "The session has a camera", "Ask it at /v1/sessions/{id}/queries, or name another session."
    ),
    chat_errors.AlreadyBegun: Row(
        "already_begun",
        409,
        "The session has begun",
        "Leave `vigil.watches` and `vigil.instructions` out: add more at /v1/sessions/{id}/watches and /instructions.",
    ),
    chat_errors.TimeNotLater: Row(
        "time_not_later", 409, "The picture is not newer than the last one", "Let `vigil.time_s` grow."
    ),
    chat_errors.TurnInFlight: Row(
        "turn_in_flight", 429, "One turn at a time", "Wait for the answer before the next picture."
    ),
    chat_errors.TurnSuperseded: Row("turn_superseded", 409, "A newer picture came first", "Send the picture of now."),
    chat_errors.TurnLate: Row("turn_late", 504, "No decision in time", _LATER),
    CoreError: Row("invalid_value", 422, "A value breaks a rule", "Correct the value that is named."),
}

MALFORMED = Row("malformed_json", 400, "The body is not JSON", "Send one JSON object, as the API page at /docs shows.")
INVALID = Row("invalid_request", 422, "The request breaks a rule", "Correct the fields listed in `errors`; see /docs.")
NO_ROUTE = Row("no_such_path", 404, "No such path", "See /docs for the paths there are.")
NO_METHOD = Row("method_not_allowed", 405, "The path does not take this method", "See /docs for its methods.")
INTERNAL = Row(
    "internal", 500, "The gateway failed", "Report it with the time of the request; the cause is in the logs."
)


_HEADERS: dict[int, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "2"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "2"},
}


class ProblemResponse(JSONResponse):
    """A JSON answer of the problem media type."""

    media_type = MEDIA_TYPE


def respond(path: str, row: Row, detail: str, **extra: object) -> JSONResponse:
    """The answer of a row to a request for `path`."""
    headers = _HEADERS.get(row.status)
    if path in error_body.PATHS:
        return JSONResponse(error_body.error_body(row.status, row.kind, detail, row.next_step), row.status, headers)
    body = {
        "type": f"{TYPE_PREFIX}{row.kind}",
        "title": row.title,
        "status": row.status,
        "detail": detail,
        "next_step": row.next_step,
        **extra,
    }
    return ProblemResponse(body, row.status, headers)


def row_of(error: Exception) -> Row:
    """The row of the error's class, or of the nearest class it derives from."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)


def install(app: FastAPI) -> None:
    """Answer every error of the table, FastAPI's own and whatever nobody thought of, as problems."""
    for kind in TABLE:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _known(request: Request, error: Exception) -> JSONResponse:
    row = row_of(error)
    if row.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", problem=row.kind, detail=str(error), path=request.url.path)
    if isinstance(error, port_errors.UnknownSession):
        error = errors.NoSuchSession(error.key.session)
    extra = {"fault": error.fault} if isinstance(error, errors.SourceRefused) else {}
    return respond(request.url.path, row, str(error), **extra)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    where = next((fault["loc"][-1] for fault in found if fault["type"] == "json_invalid"), None)
    if where is not None:
        return respond(request.url.path, MALFORMED, f"the body cannot be read as JSON (at character {where})")
    faults = [{"field": _field(fault["loc"]), "message": str(fault["msg"])} for fault in found]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
    return respond(request.url.path, INVALID, detail, errors=faults)


def _field(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return respond(path, NO_ROUTE, f"there is nothing at {path[:200]}")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return respond(path, NO_METHOD, f"{request.method} is not allowed at {path[:200]}")
        case HTTPStatus.BAD_REQUEST:
            return respond(path, MALFORMED, str(error.detail))
        case _:
            row = Row("http_error", error.status_code, HTTPStatus(error.status_code).phrase, "See /docs.")
            return respond(path, row, str(error.detail))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("request crashed", path=request.url.path, exc_info=error)
    return respond(request.url.path, INTERNAL, "something unforeseen happened while the request was served")
