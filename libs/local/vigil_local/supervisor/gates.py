"""Health gates: each attempt answers why a process is not ready yet, or an empty string when it is."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp

Gate = Callable[[], Awaitable[str]]

ATTEMPT_S = 2.0


def http(url: str) -> Gate:
    """Ready when `url` answers 200. A 503 with a JSON body of name → state says which dependencies are not `ok`."""

    async def attempt() -> str:
        status, body = await _get(url)
        return "" if status == 200 else _unready(status, body)

    return _guarded(attempt)


def engine(base_url: str, model: str) -> Gate:
    """Ready when the engine is healthy and lists `model`; else names the models that it has."""

    async def attempt() -> str:
        status, _ = await _get(f"{base_url}/health")
        if status != 200:
            return f"/health answered {status}"
        status, body = await _get(f"{base_url}/v1/models")
        if status != 200:
            return f"/v1/models answered {status}"
        names = [str(entry.get("id")) for entry in json.loads(body).get("data", [])]
        return "" if model in names else f"the engine has no model {model!r} (it has: {', '.join(names) or 'none'})"

    return _guarded(attempt)


def redis(port: int, user: str, password: str) -> Gate:
    """Ready when Redis answers PING, which it does not while it loads its append-only file."""

    async def attempt() -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"AUTH {user} {password}\r\nPING\r\n".encode())
            await writer.drain()
            answers = [(await reader.readline()).decode().strip() for _ in range(2)]
        finally:
            writer.close()
        return "" if answers == ["+OK", "+PONG"] else f"PING answered {answers[-1]!r}"

    return _guarded(attempt)


async def always_healthy() -> str:
    """For a process that is never asked."""
    return ""


def nats_storage(monitor_url: str) -> Gate:
    """Healthy while NATS stores what it is given. A server that does not answer counts as healthy."""

    async def attempt() -> str:
        try:
            status, body = await asyncio.wait_for(_get(f"{monitor_url}/healthz"), ATTEMPT_S)
            return "" if status == 200 else str(json.loads(body).get("error") or f"answered {status}")
        except (OSError, TimeoutError, ValueError, aiohttp.ClientError):
            return ""

    return attempt


def listening(host: str, port: int) -> Gate:
    """Ready when something accepts connections there."""

    async def attempt() -> str:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return ""

    return _guarded(attempt)


def _guarded(attempt: Gate) -> Gate:
    async def guarded() -> str:
        try:
            return await asyncio.wait_for(attempt(), ATTEMPT_S)
        except TimeoutError:
            return "no answer yet"
        except (OSError, aiohttp.ClientError):
            return "not listening yet"
        except ValueError:
            return "its answer is not JSON"

    return guarded


async def _get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


def _unready(status: int, body: str) -> str:
    try:
        states = json.loads(body)
    except ValueError:
        return f"answered {status}"
    if not isinstance(states, dict):
        return f"answered {status}"
    waiting = [f"{name}: {state}" for name, state in _flat(states) if state != "ok"]
    return "; ".join(waiting)[:200] or f"answered {status}"


def _flat(states: dict[str, object]) -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for name, state in states.items():
        flat.extend(_flat(state) if isinstance(state, dict) else [(name, state)])
    return flat
