"""The health check of a container: `python -m vigil.runtime.process.probe http://127.0.0.1:9101/readyz`.

An image has no curl, so Python asks. This module uses the standard library alone: it starts quickly, and the image of
the engine has a copy of it and nothing else of Vigil.
"""

import http.client
import ssl
import sys
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

LIMIT_S = 3.0
_REASON_BYTES = 500
_USAGE = "usage: probe http://127.0.0.1:PORT/PATH"


def probe(url: str, limit_s: float = LIMIT_S) -> str:
    """Why the process at `url` is not well, in one line; empty when it answers 200.

    `limit_s` bounds each wait: for the connection, and for each piece of the answer. The certificate of an https
    address is not checked: a container asks itself, by an address that no certificate names.
    """
    try:
        parts = urlsplit(url)
        connection = _connection(parts, limit_s)
    except ValueError as error:
        return f"{url!r} cannot be asked ({error}); {_USAGE}"
    try:
        connection.request("GET", parts.path or "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = b"" if answer.status == http.HTTPStatus.OK else answer.read(_REASON_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {type(error).__name__}: {error}"
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.OK:
        return ""
    return f"{url} answered {answer.status}: {' '.join(body.decode(errors='replace').split())}"


def _connection(parts: SplitResult, limit_s: float) -> http.client.HTTPConnection:
    """A connection that is not open yet. Raises `ValueError` when the address is none of http or https."""
    if not parts.hostname:
        raise ValueError("it names no host")
    match parts.scheme:
        case "http":
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit_s)
        case "https":
            unchecked = ssl.create_default_context()
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=limit_s, context=unchecked)
    raise ValueError("it begins with neither http:// nor https://")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status of the check: 0 when well; else 1, with the reason on standard output, where Docker keeps it."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    reason = probe(given[0]) if len(given) == 1 else _USAGE
    if reason:
        sys.stdout.write(f"{reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
