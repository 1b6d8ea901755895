"""A request of signalling that is refused, and why."""

from vigil.contract.signalling import Refusal


class Refused(Exception):
    """The message says what is wrong and what to do. It is told to the client."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.message = message
