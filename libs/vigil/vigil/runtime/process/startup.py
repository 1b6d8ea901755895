"""Why a process could not be set up: one line for the operator, exit code 2."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_SETUP = 2


class StartupError(Exception):
    """The process cannot be set up as it is configured; the message says what to change."""


class PortInUse(StartupError):
    """An endpoint's address cannot be bound."""

    def __init__(self, endpoint: str, host: str, port: int, reason: str) -> None:
        variable = f"VIGIL_{endpoint.upper()}_PORT"
        super().__init__(
            f"the {endpoint} endpoint cannot listen on {host}:{port} ({reason}): "
            f"stop what uses it, or set {variable} to another port"
        )
        self.endpoint = endpoint
        self.port = port
