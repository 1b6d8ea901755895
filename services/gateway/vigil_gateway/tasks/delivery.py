"""The headers with which a file that a brain made is delivered. Pure.

A brain, or who wrote the page that a brain read, may want to run a script in the console's origin. No file is ever
run there: a page is delivered into an origin of its own (`sandbox` without `allow-same-origin`), which has neither the
login's cookie nor a right to ask this gateway, and may load nothing from anywhere. What is no page, picture or text is
only ever downloaded.
"""

from collections.abc import Mapping
from urllib.parse import quote

from vigil.core.task import Artefact

HTML = "text/html"
_SHOWN = frozenset({HTML, "text/plain", "application/json", "image/png", "image/jpeg", "image/webp"})
_TEXTS = frozenset({HTML, "text/plain", "application/json"})
_KEPT = frozenset({"application/pdf"})  # a viewer of documents runs in no sandbox
_OTHER = "application/octet-stream"

_PAGE = (
    "sandbox allow-scripts",
    "default-src 'none'",
    "script-src 'unsafe-inline'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
    "webrtc 'block'",
)
_FILE = ("sandbox", "default-src 'none'", "frame-ancestors 'none'")

_EVERY = {
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), geolocation=(), payment=(), usb=()",
}


def headers_of(artefact: Artefact) -> Mapping[str, str]:
    """The headers of one file's answer. A type that is not known here is delivered as bytes to keep."""
    kind = artefact.media_type if artefact.media_type in _SHOWN | _KEPT else _OTHER
    charset = "; charset=utf-8" if kind in _TEXTS else ""
    return {
        **_EVERY,
        "Content-Type": f"{kind}{charset}",
        "Content-Disposition": _disposition(artefact.name, is_shown=kind in _SHOWN),
        "Content-Security-Policy": "; ".join(_PAGE if kind == HTML else _FILE),
    }


def _disposition(name: str, *, is_shown: bool) -> str:
    """The name for a file that is kept (RFC 6266): percent-encoded, so that nothing in it ends the header."""
    return f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
