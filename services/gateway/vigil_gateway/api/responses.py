"""An error as an HTTP answer: a problem, or OpenAI's error shape on the paths that clients of OpenAI's API call."""

from http import HTTPStatus

from fastapi.responses import JSONResponse

from vigil_gateway.api import openai_error
from vigil_gateway.api.problems import Problem

MEDIA_TYPE = "application/problem+json"

# Seconds, where the problem does not say after how many the same may succeed.
_RETRY_AFTER_S = {HTTPStatus.TOO_MANY_REQUESTS: 2, HTTPStatus.SERVICE_UNAVAILABLE: 2}


class ProblemResponse(JSONResponse):
    """A JSON answer of the problem media type."""

    media_type = MEDIA_TYPE


def respond(path: str, problem: Problem) -> JSONResponse:
    """The answer to a request for `path`."""
    row = problem.row
    if openai_error.is_openai(path):
        body = openai_error.error_body(row.status, row.kind, problem.detail, row.next_step)
        return JSONResponse(body, row.status, headers_of(problem))
    return respond_problem(problem)


def respond_problem(problem: Problem) -> ProblemResponse:
    """The problem, whatever the path."""
    return ProblemResponse(problem.as_json(), problem.row.status, headers_of(problem))


def headers_of(problem: Problem) -> dict[str, str]:
    """How the sender is to come again: with a key, or after a time."""
    status = HTTPStatus(problem.row.status)
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    retry_after_s = problem.retry_after_s or _RETRY_AFTER_S.get(status, 0)
    return {"Retry-After": str(retry_after_s)} if retry_after_s else {}
