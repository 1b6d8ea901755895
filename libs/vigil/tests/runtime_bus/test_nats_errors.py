"""nats-py's errors become the bus's, and a cancellation is never lost."""

import asyncio
import contextlib

import pytest
from nats.errors import ConnectionClosedError, MaxPayloadError
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from vigil.runtime.bus.nats_errors import translated
from vigil.runtime.errors import BusError, BusUnavailable, PayloadTooLarge, PublishRefused
from vigil.runtime.process.cancellation import cancellation_kept


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (MaxPayloadError(), PayloadTooLarge, "over NATS's limit"),
        (NoStreamResponseError(), BusUnavailable, "no stream stores this subject"),
        (ServiceUnavailableError(code=503, description="no leader"), BusUnavailable, "no leader"),
        (APIError(code=400, err_code=10077, description="maximum bytes exceeded"), PublishRefused, "code 10077"),
        (ConnectionClosedError(), BusUnavailable, "connection closed"),
        (TimeoutError(), BusUnavailable, "TimeoutError"),
        (OSError("broken pipe"), BusUnavailable, "broken pipe"),
    ],
)
async def test_every_failure_names_its_subject_and_its_reason(
    raised: Exception, expected: type[BusError], says: str
) -> None:
    with pytest.raises(expected, match=says) as caught, translated("vigil.v1.x"):
        raise raised
    assert str(caught.value).startswith("vigil.v1.x: ")
    assert caught.value.retryable == (expected is BusUnavailable)


async def _swallow() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def test_a_swallowed_cancellation_is_raised_again() -> None:
    async def work() -> None:
        with cancellation_kept():
            await _swallow()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_a_swallowed_deadline_still_ends_the_block() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.01):
            with cancellation_kept():
                await _swallow()

    with pytest.raises(TimeoutError):
        await work()
