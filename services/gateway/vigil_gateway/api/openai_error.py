"""Errors in the shape that OpenAI's clients read, for the paths that such clients call."""

from http import HTTPStatus

_API = "/v1/"
_OWN = frozenset(
    {
        "alerts",
        "approval-patterns",
        "approvals",
        "audit",
        "console",
        "health",
        "key",
        "keys",
        "login",
        "sessions",
        "voices",
        "wall",
        "whip",
    }
)

_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def is_openai(path: str) -> bool:
    """Whether clients of OpenAI's API call this path: every path under `/v1` that is not Vigil's own, also where there
    is nothing."""
    return path.startswith(_API) and path.removeprefix(_API).partition("/")[0] not in _OWN


def error_body(status: int, code: str, message: str, next_step: str) -> dict[str, object]:
    """`{"error": …}`; `code` is the stable name of the kind of error, as in `type` of the problems elsewhere."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    error = {"message": f"{message}. {next_step}", "type": _TYPES.get(HTTPStatus(status), kind), "code": code}
    return {"error": {**error, "param": None}}
