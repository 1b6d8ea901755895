"""A session as releases before this one stored it in Redis: the very bytes, to be put back and taken over.

`form_0.json` was dumped at commit a51dd1d, the last one whose sessions have no number of their form, `form_1.json` at
commit c0364de, the last one that knows no modules. To keep the bytes of another form, check out the last commit that
writes it and run there, in its environment:

    python libs/vigil/vigil/testing/former/session.py form_<number>.json
"""

import base64
import json
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

_FOLDER = Path(__file__).parent


async def restore(redis: Redis, form: int) -> None:
    """Put the session back as a release that wrote this form left it. It is `vigil.testing.former.session.SPEC`."""
    client: Any = redis  # redis-py types its calls for text and for bytes
    for name, (kind, value) in json.loads((_FOLDER / f"form_{form}.json").read_text("utf-8")).items():
        match kind:
            case "string":
                await client.set(name, base64.b64decode(value))
            case "list":
                await client.rpush(name, *map(base64.b64decode, value))
            case "hash":
                await client.hset(name, mapping={field: base64.b64decode(data) for field, data in value.items()})
            case "zset":
                await client.zadd(name, {base64.b64decode(member): float(score) for member, score in value})
            case _:
                raise ValueError(f"{name} is a {kind}, which no release stores")
