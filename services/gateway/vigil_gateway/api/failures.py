"""What the log says of a request that failed, the same through every door."""

from http import HTTPStatus

from vigil.runtime.process.logs import get_log
from vigil_gateway.api.problems import INTERNAL, Problem

log = get_log()


def log_failure(problem: Problem, error: Exception, **where: str) -> None:
    """Log what is the gateway's fault; what is the client's is counted and told. `where` names the path or method."""
    if problem.row is INTERNAL:
        log.error("request crashed", **where, exc_info=error)
    elif problem.row.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", problem=problem.row.kind, detail=problem.detail, **where)
