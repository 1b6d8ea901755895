"""Errors over HTTP: problems, and OpenAI's error shape on the paths that clients of OpenAI's API call."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vigil_gateway.http.failures import log_failure
from vigil_gateway.http.problems import MALFORMED, NO_METHOD, NO_ROUTE, TABLE, Problem, Row, problem_of
from vigil_gateway.openai import error_body

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
    row = problem.row
    headers = _HEADERS.get(row.status)
    if path in error_body.PATHS:
        body = error_body.error_body(row.status, row.kind, problem.detail, row.next_step)
        return JSONResponse(body, row.status, headers)
    return ProblemResponse(problem.as_json(), row.status, headers)


def install(app: FastAPI) -> None:
    """Answer every error of the table, FastAPI's own and whatever nobody thought of, as problems."""
    for kind in (*TABLE, RequestValidationError):
        app.add_exception_handler(kind, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _problem)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    log_failure(problem, error, path=request.url.path)
    return respond(request.url.path, problem)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return respond(request.url.path, _http_problem(request, error))


def _http_problem(request: Request, error: HTTPException) -> Problem:
    path = request.url.path[:200]
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return Problem(NO_ROUTE, f"there is nothing at {path}")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return Problem(NO_METHOD, f"{request.method} is not allowed at {path}")
        case HTTPStatus.BAD_REQUEST:
            return Problem(MALFORMED, str(error.detail))
        case _:
            row = Row("http_error", error.status_code, HTTPStatus(error.status_code).phrase, "See /docs.")
            return Problem(row, str(error.detail))
