"""Errors in the shape that OpenAI's clients read, for the paths that such clients call."""

from http import HTTPStatus

PATHS = frozenset({"/v1/chat/completions", "/v1/models", "/v1/streaming/reset"})

_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def error_body(status: int, code: str, message: str, next_step: str) -> dict[str, object]:
    """`{"error": …}`; `code` is the stable name of the kind of error, as in `type` of the problems elsewhere."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    error = {"message": f"{message}. {next_step}", "type": _TYPES.get(HTTPStatus(status), kind), "code": code}
    return {"error": {**error, "param": None}}
