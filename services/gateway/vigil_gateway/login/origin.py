"""Whether a browser's request was caused by a page of this gateway. Pure.

Browsers say where a request comes from, and no page can change what they say: `Sec-Fetch-Site` where the address is
secure or local, and `Origin` with everything but plain reads.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

_OWN_SITES = ("same-origin", "none")  # none: a person typed the address or followed a bookmark


def is_from_another_site(headers: Headers) -> bool:
    """Whether the browser says that another site caused the request; False where it says nothing."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITES
    origin = headers.get("origin")
    return origin is not None and not _is_ours(origin, headers)


def is_from_this_site(headers: Headers) -> bool:
    """Whether the browser says that a page of this gateway caused the request; False where it says nothing."""
    return ("sec-fetch-site" in headers or "origin" in headers) and not is_from_another_site(headers)


def _is_ours(origin: str, headers: Headers) -> bool:
    """Whether the origin's host and port are those that the request was sent to."""
    try:
        return bool(host := urlsplit(origin).netloc) and host.lower() == headers.get("host", "").lower()
    except ValueError:
        return False
