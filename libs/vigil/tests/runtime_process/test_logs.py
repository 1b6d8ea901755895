"""Logs: one JSON object a line, naming service, session and trace."""

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY

from vigil.core.ids import SessionKey
from vigil.runtime.process.logs import configure_logs, get_log, session_logs, source_logs


@pytest.fixture
def root_logging() -> Iterator[None]:
    """Puts the standard library's root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("root_logging")
def test_a_line_has_service_level_time_session_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("codec", "info")
    with session_logs(SessionKey("demo", "s-1")):
        get_log().info("frame coded", kept=3)
    get_log().debug("not shown")
    (line,) = lines(capsys)
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "message": "frame coded",
        "kept": 3,
        "level": "info",
        "service": "codec",
        "tenant": "demo",
        "session": "s-1",
    }


@pytest.mark.usefixtures("root_logging")
def test_the_session_is_gone_after_its_block(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("codec", "info")
    with session_logs(SessionKey("demo", "s-1")):
        pass
    get_log().warning("later")
    assert "session" not in lines(capsys)[0]


@pytest.mark.usefixtures("root_logging")
def test_libraries_and_exceptions_come_out_in_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("codec", "info")
    logging.getLogger("nats").warning("slow %s", "consumer")
    try:
        raise ValueError("broken")
    except ValueError:
        get_log().exception("turn failed")
    library, failure = lines(capsys)
    assert (library["message"], library["logger"], library["service"]) == ("slow consumer", "nats", "codec")
    assert "ValueError: broken" in str(failure["exception"])


@pytest.mark.usefixtures("root_logging")
def test_the_current_span_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("codec", "info")
    with TracerProvider().get_tracer("test").start_as_current_span("tick") as span:
        get_log().info("inside")
    (line,) = lines(capsys)
    assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert line["span_id"] == f"{span.get_span_context().span_id:016x}"


@pytest.mark.usefixtures("root_logging")
def test_the_source_is_named_inside_its_block(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("codec", "info")
    with session_logs(SessionKey("demo", "s-1")), source_logs("lobby"):
        get_log().info("frame coded")
    (line,) = lines(capsys)
    assert (line["tenant"], line["session"], line["source"]) == ("demo", "s-1", "lobby")


@pytest.mark.usefixtures("root_logging")
def test_lines_of_our_own_code_are_counted_by_their_words() -> None:
    configure_logs("codec", "info")
    before = counted("warning", "frame broke"), counted("warning", "slow consumer")
    get_log().warning("frame broke", size=3)
    get_log().debug("frame broke")
    logging.getLogger("nats").warning("slow consumer")
    assert (counted("warning", "frame broke"), counted("warning", "slow consumer")) == (before[0] + 1, before[1])
    assert not counted("debug", "frame broke")


def counted(level: str, event: str) -> float:
    return REGISTRY.get_sample_value("vigil_log_lines_total", {"level": level, "event": event}) or 0.0


@pytest.mark.usefixtures("root_logging")
def test_addresses_of_requests_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("gateway", "debug")
    for name in ("uvicorn.access", "uvicorn.error", "aiohttp.access"):
        logging.getLogger(name).info("/v1/sessions/s-1/ws?key=secret")
    assert lines(capsys) == []
