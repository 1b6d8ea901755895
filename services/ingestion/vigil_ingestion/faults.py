"""What can be wrong with a source.

SourceError
├── fault UNREACHABLE         nobody answers there, or the stream ended
├── fault WRONG_CREDENTIALS   the camera refused the name and password
├── fault NOT_FOUND           no such file or path
├── fault NOT_A_VIDEO         it opens, but holds no pictures that can be decoded
├── fault EMPTY               a file of no bytes
├── fault TIMED_OUT           it stopped answering
├── fault UNTRUSTED           its certificate is not trusted
└── fault FORBIDDEN           the operator's policy does not allow this address (not retried, unless a name led there)
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from vigil.runtime.process.logs import get_log

log = get_log()


class Fault(StrEnum):
    """Names as the contract has them (`SourceFault`), in lower case."""

    UNREACHABLE = "unreachable"
    WRONG_CREDENTIALS = "wrong_credentials"
    NOT_FOUND = "not_found"
    NOT_A_VIDEO = "not_a_video"
    EMPTY = "empty"
    FORBIDDEN = "forbidden"
    TIMED_OUT = "timed_out"
    UNTRUSTED = "untrusted"


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


@contextmanager
def as_source_errors(shown: str, *passed: type[Exception]) -> Iterator[None]:
    """Turn an unexpected error into a fault with a status; `passed` errors and `SourceError` stay.

    Its text may repeat an address with its password, so the log has its kind and place alone.
    """
    expected: tuple[type[Exception], ...] = (SourceError, *passed)
    try:
        yield
    except expected:
        raise
    except Exception as error:  # noqa: BLE001  the media library raises whatever it likes
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        log.error("source failed unexpectedly", error=kind, place=f"{Path(frame.filename).name}:{frame.lineno}")
        raise SourceError(
            Fault.NOT_A_VIDEO, f"{shown} cannot be read: the media library failed on it ({kind})"
        ) from None
