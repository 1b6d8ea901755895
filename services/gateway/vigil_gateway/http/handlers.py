"""Every kind of error of the application, answered."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import MALFORMED, NO_METHOD, NO_ROUTE, TABLE, Problem, Row, problem_of
from vigil_gateway.api.responses import respond
from vigil_gateway.http.contract import methods_at
from vigil_gateway.openai.retry import HEADER, should_retry


def install(app: FastAPI) -> None:
    """Answer every error as a problem: those of the table, FastAPI's own and unexpected ones."""
    for kind in (*TABLE, RequestValidationError):
        app.add_exception_handler(kind, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _problem)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    log_failure(problem, error, path=request.url.path)
    answer = respond(request.url.path, problem)
    is_of_now = getattr(request.state, "is_of_now", None)
    if is_of_now is not None and (may := should_retry(problem, is_of_now=is_of_now)) is not None:
        answer.headers[HEADER] = "true" if may else "false"
    return answer


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    answer = respond(request.url.path, _http_problem(request, error))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The error knows the methods of one route; at many paths there are several routes.
        told = (error.headers or {}).get("Allow", "")
        answer.headers["Allow"] = ", ".join(methods_at(request.app, request.url.path)) or told
    return answer


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
