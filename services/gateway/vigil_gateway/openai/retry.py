"""Whether a client library may send a refused turn again by itself: OpenAI's libraries read it in a header. Pure.

They repeat every 409, 429 and 5xx otherwise. A picture of now is old by then: the client has a newer one. A picture
with a time of its own may be sent again where that can help: it is recognised, and never asked about twice.
"""

from http import HTTPStatus

from vigil_gateway.api.problems import Problem

HEADER = "x-should-retry"
_IN_VAIN = frozenset({"turn_refused", "internal", "session_unreadable"})


def should_retry(problem: Problem, *, is_of_now: bool) -> bool | None:
    """None where client libraries do not repeat the answer anyway."""
    status = problem.row.status
    if status == HTTPStatus.CONFLICT:
        return False
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return not is_of_now and problem.row.kind not in _IN_VAIN
    return None
