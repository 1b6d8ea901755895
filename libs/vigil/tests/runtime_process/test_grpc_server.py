"""The gRPC server that services share."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from vigil.runtime.process.grpc_server import bound_grpc
from vigil.testing.eventually import eventually

SERVING = health_pb2.HealthCheckResponse.SERVING

GARBAGE = b"\xff\xff garbage"


@pytest.mark.parametrize("sent", [[GARBAGE], []], ids=["garbage", "nothing"])
@pytest.mark.parametrize("method", ["health.v1.Health/Check", "health.v1.Health/Watch"])
async def test_a_call_without_its_message_is_invalid_and_logs_no_error(
    method: str, sent: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async with bound_grpc("127.0.0.1", 0) as bound:
        await bound.start(())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{bound.port}") as channel:
            call = channel.stream_stream(f"/grpc.{method}", bytes, bytes)(iter(sent), timeout=10)
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_stream_with_a_message_that_cannot_be_read_is_invalid(caplog: pytest.LogCaptureFixture) -> None:
    async with bound_grpc("127.0.0.1", 0) as bound:
        await bound.start(())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{bound.port}") as channel:
            reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
            call = channel.stream_stream(reflection, bytes, bytes)(iter([b"", GARBAGE]), timeout=10)
            assert isinstance(await call.read(), bytes)
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_call_above_the_limit_is_refused_and_taken_once_another_one_has_ended() -> None:
    async with bound_grpc("127.0.0.1", 0, max_calls=1) as bound:
        await bound.start(())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{bound.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)

            async def outcome() -> grpc.StatusCode:
                code: grpc.StatusCode = await health.Check(health_pb2.HealthCheckRequest()).code()
                return code

            async def is_taken() -> bool:
                return await outcome() is grpc.StatusCode.OK

            open_stream = health.Watch(health_pb2.HealthCheckRequest())
            assert (await open_stream.read()).status == SERVING
            assert await outcome() is grpc.StatusCode.RESOURCE_EXHAUSTED
            open_stream.cancel()
            await eventually(is_taken, what="the next call is taken")
