"""Problems as gRPC statuses: one table from HTTP status to code, and the kinds of problem for which it is another."""

import json

from grpc import StatusCode

from vigil_gateway.api.problems import Problem

TRAILER = "vigil-problem"
RETRY_AFTER = "retry-after"

BY_STATUS = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.FAILED_PRECONDITION,
    412: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,
    415: StatusCode.INVALID_ARGUMENT,
    421: StatusCode.FAILED_PRECONDITION,
    422: StatusCode.INVALID_ARGUMENT,
    428: StatusCode.FAILED_PRECONDITION,
    429: StatusCode.RESOURCE_EXHAUSTED,
    500: StatusCode.INTERNAL,
    502: StatusCode.INTERNAL,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}
BY_KIND = {
    "capacity_full": StatusCode.RESOURCE_EXHAUSTED,
    "store_full": StatusCode.RESOURCE_EXHAUSTED,
    "turn_superseded": StatusCode.ABORTED,
}


def code_of(problem: Problem) -> StatusCode:
    """The gRPC status that a call with this problem ends with."""
    return BY_KIND.get(problem.row.kind) or BY_STATUS[problem.row.status]


def message_of(problem: Problem) -> str:
    """What was wrong and what to do."""
    return f"{problem.detail}. {problem.row.next_step}"


def trailer_of(problem: Problem) -> tuple[tuple[str, str], ...]:
    """The problem's JSON as trailing metadata, in ASCII, without its further members; and after how many seconds the
    same may succeed, where that is known."""
    short = (TRAILER, json.dumps(Problem(problem.row, problem.detail).as_json()))
    return (short, (RETRY_AFTER, str(problem.retry_after_s))) if problem.retry_after_s else (short,)
