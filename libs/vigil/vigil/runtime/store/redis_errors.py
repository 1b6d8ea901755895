"""What Redis refused and what to do about it, told by the code that begins an error and not by its words.

Every version of Redis and Valkey begins an error with a code: `OOM`, `READONLY`, `MISCONF`. What follows is prose that
changes between versions. When a command inside a Lua script is refused, Redis before 7 wraps the code into an `ERR` of
the script; Redis 7 and later and Valkey pass the code on and append where in the script it was.
"""

import re

from redis.exceptions import RedisError

from vigil.runtime.errors import StoreError, StoreFull, StoreUnavailable, describe

_CODE = re.compile(r"-?([A-Z]{3,}) ")
_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -?([A-Z]{3,}) ")
_NEXT_STEPS = {
    "READONLY": "it is a read-only replica: point the URL at the primary",
    "MISCONF": "it cannot write to its disk: free space there, its log says more",
    "LOADING": "it is loading its data: wait",
    "BUSY": "a script blocks it: find out which, or restart it",
    "MASTERDOWN": "it is a replica that has lost its primary: point the URL at the primary",
    "NOREPLICAS": "too few of its replicas answer: bring them back",
    "CLUSTERDOWN": "its cluster is down: bring the missing nodes back",
    "NOAUTH": "its URL needs a password",
    "WRONGPASS": "the user or password in its URL is wrong",
    "NOPERM": "the user in its URL may not do this: give it the rights of `vigil.contract.store_permissions`",
}
_CHECK = "check that it runs and that its URL is right"


def code_of(error: BaseException) -> str:
    """The code of an error that Redis answered with, also out of a script; empty for any other error."""
    if not isinstance(error, RedisError):
        return ""
    if error.status_code not in (None, "ERR"):
        return error.status_code or ""
    text = str(error)
    found = _IN_SCRIPT.search(text) or _CODE.match(text)
    return found.group(1) if found else error.status_code or ""


def as_store_error(error: BaseException) -> StoreError:
    """The store's own error for one of Redis or of the connection to it: `StoreFull` when Redis has no memory left,
    `StoreUnavailable`, with what to do, for all else."""
    code = code_of(error)
    if code == "OOM":
        return StoreFull("Redis has no memory left: end sessions or raise maxmemory")
    said = describe(error)
    if code and code not in said:
        said = f"{code} {said}"
    return StoreUnavailable(f"Redis request failed ({said}): {_NEXT_STEPS.get(code, _CHECK)}")
