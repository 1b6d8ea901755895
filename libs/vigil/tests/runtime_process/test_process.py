"""The life of a worker as a real process: endpoints, readiness, drain, and every way not to start."""

import asyncio
import json
import signal
import socket
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.scripted_engine import ScriptedEngine

SERVING = health_pb2.HealthCheckResponse.SERVING


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def ready(port: int) -> tuple[int, dict[str, Any]]:
    status, text = await get(port, "/readyz")
    return status, json.loads(text)


async def test_it_serves_its_endpoints_and_drains_on_sigterm(start: Any) -> None:
    async with ScriptedEngine() as engine:
        worker = await start(engine_url=engine.url)
        listening = await worker.logged("ports opened")
        await worker.logged("service became ready")
        expected = 200, {"ready": True, "phase": "serving", "checks": {"engine": "ok"}}

        async def is_ready() -> bool:
            """The engine is here: where this process stands still for a second it does not answer in time."""
            return await ready(listening["http_port"]) == expected

        await eventually(is_ready, what="it is ready")
        assert (await get(listening["http_port"], "/healthz"))[0] == 200
        status, metrics = await get(listening["http_port"], "/metrics")
        assert status == 200
        assert 'vigil_service_info{instance="' in metrics
        assert 'vigil_port_up{port="engine"} 1.0' in metrics
        worker.process.send_signal(signal.SIGTERM)
        code, messages, errors = await worker.ended()
    assert (code, errors) == (0, "")
    assert messages[-4:] == ["drain began", "leases released", "released", "service stopped"]


async def test_grpc_health_and_reflection_answer(start: Any) -> None:
    worker = await start()
    port = (await worker.logged("ports opened"))["grpc_port"]
    await worker.logged("service became ready")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S)
    assert answer.status == SERVING
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        names = await asyncio.to_thread(lambda: list(ProtoReflectionDescriptorDatabase(channel).get_services()))
    assert "grpc.health.v1.Health" in names


async def test_a_dead_dependency_makes_it_unready_but_not_dead(start: Any) -> None:
    async with ScriptedEngine() as engine:
        worker = await start(engine_url=engine.url)
        port = (await worker.logged("ports opened"))["http_port"]
        await worker.logged("service became ready")
    status, answer = await ready(port)
    assert status == 503
    assert answer["checks"]["engine"].startswith(f"EngineUnreachable: no engine answers at {engine.url}")
    assert (await get(port, "/healthz"))[0] == 200


async def test_it_answers_not_ready_while_it_waits_for_a_dependency_and_can_be_stopped(start: Any) -> None:
    worker = await start(behaviour="wait")
    port = (await worker.logged("ports opened"))["http_port"]
    await worker.logged("waiting for a dependency")
    assert await ready(port) == (503, {"ready": False, "phase": "starting", "checks": {}})
    worker.process.send_signal(signal.SIGINT)
    code, messages, errors = await worker.ended()
    assert (code, messages[-1], errors) == (0, "service stopped", "")


async def test_settings_are_logged_with_secrets_masked(start: Any) -> None:
    worker = await start(redis_url="redis://vigil:sesame@store:6379/0")
    starting = await worker.logged("service started")
    assert starting["settings"]["redis_url"] == "redis://***@store:6379/0"
    assert starting["service"] == "trial"


@pytest.mark.parametrize(("endpoint", "variable"), [("HTTP", "http_port"), ("gRPC", "grpc_port")])
async def test_a_port_in_use_is_one_clear_line(start: Any, endpoint: str, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker = await start(**{variable: str(port)})
        code, _, errors = await worker.ended()
    assert code == 2
    (line,) = errors.splitlines()
    assert line.startswith(f"vigil-trial: the {endpoint} endpoint cannot listen on 127.0.0.1:{port} (")
    assert line.endswith(f"set VIGIL_{variable.upper()} to another port")


async def test_an_invalid_configuration_is_one_line_a_variable(start: Any) -> None:
    worker = await start(capacity="many", grpc_port="70000")
    code, messages, errors = await worker.ended()
    assert (code, messages) == (2, [])
    assert errors.splitlines() == [
        "vigil-trial: VIGIL_GRPC_PORT: Input should be less than or equal to 65535",
        "vigil-trial: VIGIL_CAPACITY: Input should be a valid integer, unable to parse string as an integer",
    ]


async def test_a_build_may_refuse_to_start(start: Any) -> None:
    code, _, errors = await (await start(behaviour="refuse")).ended()
    assert (code, errors) == (2, "vigil-trial: the model is not served: start the engine with it\n")


async def test_a_mistake_in_the_build_is_logged_and_ends_the_process(start: Any) -> None:
    worker = await start(behaviour="crash")
    code, messages, errors = await worker.ended()
    assert (code, messages[-1], errors) == (1, "service failed", "")
    assert "RuntimeError: a mistake in the build" in worker.lines[-1]["exception"]


async def test_a_background_task_that_fails_ends_the_process_cleanly(start: Any) -> None:
    worker = await start(behaviour="fail")
    code, messages, _ = await worker.ended()
    assert code == 1
    assert "background task failed" in messages
    assert messages[-1] == "released"


async def test_a_drain_that_hangs_is_cut_off(start: Any) -> None:
    worker = await start(behaviour="stuck", drain_s="0.2")
    await worker.logged("service became ready")
    worker.process.send_signal(signal.SIGTERM)
    code, messages, _ = await worker.ended()
    assert (code, messages[-1]) == (1, "drain timed out")


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """An OTLP collector that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str]] = []

    async def Export(  # noqa: N802  the name is the protocol's
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            self.spans += [(service, span.name) for scope in resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


async def test_spans_reach_the_collector_before_the_process_ends(start: Any) -> None:
    server, collector = grpc.aio.server(), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        worker = await start(behaviour="trace", otlp_endpoint=f"http://127.0.0.1:{port}")
        traced = await worker.logged("traced")
        await worker.logged("service became ready")
        worker.process.send_signal(signal.SIGTERM)
        code, _, _ = await worker.ended()
    finally:
        await server.stop(None)
    assert code == 0
    assert collector.spans == [("trial", "trial.step")]
    assert len(traced["trace_id"]) == 32


async def test_a_collector_that_is_down_does_not_hold_the_process(start: Any) -> None:
    worker = await start(behaviour="trace", otlp_endpoint="http://127.0.0.1:9", drain_s="5")
    await worker.logged("service became ready")
    worker.process.send_signal(signal.SIGTERM)
    code, messages, _ = await worker.ended()
    assert (code, messages.count("service stopped")) == (0, 1)
