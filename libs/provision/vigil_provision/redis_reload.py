"""Redis reads the file of its users again: a new release may give a service other keys and commands."""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vigil_provision.errors import ProvisionError

REQUEST_S = 3.0


async def reload(url: str, ca_file: str = "") -> None:
    """Have the server read its users again; connections of users whose rights changed end, and are made again. `url`
    names the operator, `ca_file` the authority behind a `rediss://` address. Raises `ProvisionError`."""
    trust: dict[str, Any] = {"ssl_ca_certs": ca_file} if ca_file else {}
    try:
        async with Redis.from_url(url, socket_timeout=REQUEST_S, socket_connect_timeout=REQUEST_S, **trust) as client:
            await client.acl_load()
    except (RedisError, OSError, TimeoutError) as error:
        raise ProvisionError(
            f"Redis at {url.rpartition('@')[2]} was not told of its new users: {str(error) or 'no answer'}",
            "it reads them when it starts; if it runs, check the address in site.json and run the command again",
        ) from None
