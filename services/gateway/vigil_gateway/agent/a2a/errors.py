"""Problems as errors of A2A: each says what was wrong, and what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from a2a.utils.error_handlers import A2A_DOMAIN
from a2a.utils.errors import (
    JSON_RPC_ERROR_CODE_MAP,
    A2AError,
    ContentTypeNotSupportedError,
    InternalError,
    InvalidParamsError,
    UnsupportedOperationError,
)

from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import TYPE_PREFIX, Problem, problem_of
from vigil_gateway.audit.noted import note_status
from vigil_gateway.rpc.status import message_of

DOMAIN = "vigil"
_REFUSED = -32_000
_NOT_SUPPORTED = JSON_RPC_ERROR_CODE_MAP[ContentTypeNotSupportedError]
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
# A2A has no error for a server that has no room, or must not be asked so often: its error for the server's own faults
# is the nearest one that a client may try again after.
_OWN_FAULTS = (HTTPStatus.TOO_MANY_REQUESTS,)


def code_and_details(problem: Problem) -> tuple[int, list[dict[str, Any]]]:
    """JSON-RPC's code and the details of a refusal that comes before the SDK."""
    code, reason, domain = _REFUSED, problem.row.kind.upper(), DOMAIN
    if problem.row.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        code, reason, domain = _NOT_SUPPORTED, "CONTENT_TYPE_NOT_SUPPORTED", A2A_DOMAIN
    return code, [{"@type": _INFO, "reason": reason, "domain": domain, "metadata": _metadata(problem)}]


def error_of(problem: Problem) -> A2AError:
    """The error of A2A that the SDK answers with."""
    status = problem.row.status
    is_own = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _OWN_FAULTS
    kind = InternalError if is_own else InvalidParamsError
    return kind(message=message_of(problem), data=_metadata(problem))


def refused(what: str, next_step: str, kind: type[A2AError] = UnsupportedOperationError) -> A2AError:
    """An error of the protocol itself, with what to do next."""
    return kind(message=f"{what}. {next_step}", data={"nextStep": next_step})


@contextmanager
def as_a2a(method: str) -> Iterator[None]:
    """What the block raises becomes an error of A2A; the audit has its status."""
    try:
        yield
    except A2AError:
        note_status(HTTPStatus.BAD_REQUEST)
        raise
    except Exception as error:  # whatever it is, it ends the call as an error of the protocol
        problem = problem_of(error)
        log_failure(problem, error, method=method)
        note_status(problem.row.status)
        raise error_of(problem) from error


def _metadata(problem: Problem) -> dict[str, str]:
    row = problem.row
    return {"type": f"{TYPE_PREFIX}{row.kind}", "status": str(row.status), "nextStep": row.next_step}
