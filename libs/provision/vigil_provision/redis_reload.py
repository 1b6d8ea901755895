"""Redis reads the file of its users again: a new release may give a service other keys and commands."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vigil_provision.errors import ProvisionError

REQUEST_S = 3.0


async def reload(url: str) -> None:
    """Have the server read its users again; connections of users whose rights changed end, and are made again. `url`
    names the operator. Raises `ProvisionError`."""
    try:
        async with Redis.from_url(url, socket_timeout=REQUEST_S, socket_connect_timeout=REQUEST_S) as client:
            await client.acl_load()
    except (RedisError, OSError, TimeoutError) as error:
        raise ProvisionError(
            f"Redis at {url.rpartition('@')[2]} was not told of its new users: {str(error) or 'no answer'}",
            "it reads them when it starts; if it runs, check the address in site.json and run the command again",
        ) from None
