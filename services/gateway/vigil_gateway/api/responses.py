"""An error as an HTTP answer: a problem, or OpenAI's error shape on the paths that clients of OpenAI's API call."""

from http import HTTPStatus

from fastapi.responses import JSONResponse

from vigil_gateway.api import openai_error
from vigil_gateway.api.problems import Problem

MEDIA_TYPE = "application/problem+json"

_HEADERS: dict[int, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "2"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "2"},
}


class ProblemResponse(JSONResponse):
    """A JSON answer of the problem media type."""

    media_type = MEDIA_TYPE


def respond(path: str, problem: Problem) -> JSONResponse:
    """The answer to a request for `path`."""
    row, headers = problem.row, _HEADERS.get(problem.row.status)
    if openai_error.is_openai(path):
        body = openai_error.error_body(row.status, row.kind, problem.detail, row.next_step)
        return JSONResponse(body, row.status, headers)
    return respond_problem(problem)


def respond_problem(problem: Problem) -> ProblemResponse:
    """The problem, whatever the path."""
    return ProblemResponse(problem.as_json(), problem.row.status, _HEADERS.get(problem.row.status))
