"""HTTP to servers that an operator names: brains, summarisers, recognizers, speech engines."""

from collections.abc import Sequence
from ssl import SSLContext

import aiohttp

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""The same request may succeed later, unchanged."""


def open_session(
    trusted: SSLContext | None,
    timeout: aiohttp.ClientTimeout,
    *,
    trace_configs: Sequence[aiohttp.TraceConfig] = (),
) -> aiohttp.ClientSession:
    """A session for one server, to be closed by the caller. Who calls bounds how many calls there are at once.

    Proxies of the environment are not used and no cookies are kept. Certificates are checked against `trusted`, or
    against what the system trusts where it is None.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trusted or True),
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=list(trace_configs),
    )
