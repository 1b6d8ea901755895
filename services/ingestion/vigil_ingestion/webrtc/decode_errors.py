"""Counts the pictures that aiortc could not decode, instead of a log line for each: a bad network breaks many."""

import logging

from vigil_ingestion import metrics

_LOGGER = "aiortc.rtcrtpreceiver"
_WORDS = "failed to decode"


class _Counted(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is logged."""
        if _WORDS not in str(record.msg):
            return True
        metrics.DECODE_ERRORS.inc()
        metrics.DROPPED.labels("broken").inc()
        return False


_COUNTED = _Counted()


def count_decode_errors() -> None:
    """From now on they are counted in `vigil_ingestion_decode_errors_total`. Idempotent."""
    logging.getLogger(_LOGGER).addFilter(_COUNTED)
