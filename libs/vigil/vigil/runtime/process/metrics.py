"""Prometheus metrics: how they are rendered, and what every process reports about itself.

A component declares its own metrics beside itself as module constants: base units, `vigil_` prefix, no label that
names a session or a tenant.
"""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Info, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

SERVICE = Info("vigil_service", "Name of this service and of this process")
READY = Gauge("vigil_ready", "1 when the last readiness check passed")
PORT_UP = Gauge("vigil_port_up", "1 when this dependency answered the last readiness check", ["port"])

TLS_FILES_FAULT = Gauge(
    "vigil_tls_files_fault",
    "1 while files of certificates cannot be used and those that were read before hold: `authorities`, `certificate`",
    ["what"],
)
CERTIFICATE_EXPIRY = Gauge(
    "vigil_certificate_expiry_timestamp_seconds",
    "When what is read from files of certificates expires: `certificate`, the first of the chain that this process "
    "shows; `authorities`, the last of those that it trusts beside the system's",
    ["what"],
)
LOG_LINES = Counter(
    "vigil_log_lines_total", "Log lines of this service's own code, by level and by their words", ["level", "event"]
)
LOG_LINES_LOST = Counter(
    "vigil_log_lines_lost_total", "Log lines that could not be written: a full disk, a closed pipe"
)


def render() -> bytes:
    """All metrics of this process, in the text format that `CONTENT_TYPE` names."""
    return generate_latest(REGISTRY)
