"""The gRPC server that services share."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from vigil.runtime.process.grpc_server import bound_grpc
from vigil.testing.eventually import eventually

SERVING = health_pb2.HealthCheckResponse.SERVING


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
