"""Logs: one JSON object a line on standard output, with service, session, source and trace wherever they are known.

Libraries that use the standard library's logging come out in the same form. Logging never raises: what standard output
does not take is counted.
"""

import logging
from contextlib import AbstractContextManager
from typing import cast

import structlog
from opentelemetry import trace
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from vigil.core.ids import SessionKey
from vigil.runtime.process import metrics
from vigil.runtime.process.output import unfailing_stdout

# Uvicorn's "error" log has the address of every WebSocket, with what a client may have put into its query: a key.
# aioice's has every check of every connection, with the client's addresses.
_QUIET_LIBRARIES = ("aiohttp.access", "uvicorn.access", "uvicorn.error", "asyncio", "aioice")


def configure_logs(service: str, level: str) -> None:
    """Set up the process's logs. `level` is debug, info, warning or error."""
    shared: list[Processor] = [
        _count,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
        _Named(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(unfailing_stdout(metrics.LOG_LINES_LOST.inc))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_log() -> FilteringBoundLogger:
    """A logger: `log.info("turn committed", sequence=4)`. Safe to make when a module is imported."""
    return cast(FilteringBoundLogger, structlog.get_logger())


def session_logs(key: SessionKey) -> AbstractContextManager[object]:
    """Inside the block, log lines of this task and of tasks that it starts name the session."""
    return bound_contextvars(tenant=key.tenant, session=key.session)


def source_logs(source: str) -> AbstractContextManager[object]:
    """Inside the block, log lines of this task and of tasks that it starts name the session's source."""
    return bound_contextvars(source=source)


def _count(_: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """Count a line of our own, so that an alert can be raised on it. Its words are a literal, so they are few."""
    if "_from_structlog" not in event:  # a library's line, whose words hold figures
        metrics.LOG_LINES.labels(level, event["event"]).inc()
    return event


def _add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


class _Named:
    """Adds the service's name."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        return event
