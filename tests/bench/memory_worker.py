"""The memory service beside a stack, with a summariser of the benchmark's choice."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.stack import Stack
from vigil.testing.ports import free_port


def external(url: str) -> dict[str, str]:
    """The settings of one whose blocks a memory service of somebody else writes."""
    return {"VIGIL_SUMMARISER": "http", "VIGIL_SUMMARISER_URL": url}


@asynccontextmanager
async def memory_service(stack: Stack, variables: Mapping[str, str]) -> AsyncIterator[str]:
    """A memory worker with these settings, for as long as the block lasts; yields the address of its metrics."""
    port = free_port()
    worker = await stack.start("memory", variables={**variables, "VIGIL_HTTP_PORT": str(port)})
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        await worker.stop()
