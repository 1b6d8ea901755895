"""What can be wrong with a source.

SourceError
├── fault UNREACHABLE         nobody answers there, or the stream ended
├── fault WRONG_CREDENTIALS   the camera refused the name and password
├── fault NOT_FOUND           no such file or path
├── fault NOT_A_VIDEO         it opens, but holds no pictures that can be decoded
├── fault EMPTY               a file of no bytes
├── fault TIMED_OUT           it stopped answering
└── fault FORBIDDEN           the operator's policy does not allow this address (not retried, unless a name led there)
"""

from enum import StrEnum


class Fault(StrEnum):
    """Names as the contract has them (`SourceFault`), in lower case."""

    UNREACHABLE = "unreachable"
    WRONG_CREDENTIALS = "wrong_credentials"
    NOT_FOUND = "not_found"
    NOT_A_VIDEO = "not_a_video"
    EMPTY = "empty"
    FORBIDDEN = "forbidden"
    TIMED_OUT = "timed_out"


class SourceError(Exception):
    """A source cannot be watched. The message says why and what to do, and never holds a credential."""

    def __init__(self, fault: Fault, message: str, *, by_name: bool = False) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self._by_name = by_name

    @property
    def retryable(self) -> bool:
        """Whether it may mend by itself: cameras come back and files get replaced, but a policy stays. A host name may
        lead to a wrong address for a while, as when a network starts."""
        return self._by_name or self.fault is not Fault.FORBIDDEN
