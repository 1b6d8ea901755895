"""Converts the pictures of one source, and says when none of them can be shown: then nothing is watched."""

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile
from vigil.runtime.process.logs import get_log
from vigil_ingestion import metrics
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.picture import NotConvertible, encode
from vigil_ingestion.playback import Capture

log = get_log()

BLIND_US = 3_000_000  # so long without a picture that can be shown, although pictures are decoded


class Conversion:
    """Belongs to one thread. Times are the captures' own."""

    def __init__(self, profile: PromptProfile) -> None:
        self._profile = profile
        self._converted = False
        self._blind_since_us: int | None = None
        self._reason = ""

    def frame(self, capture: Capture) -> Frame | None:
        """The picture for the profile; None when it cannot be shown. Raises `SourceError` when none can for long."""
        try:
            picture = encode(capture.frame, capture.time_us, self._profile, capture.geometry)
        except NotConvertible as error:
            self._failed(capture.time_us, str(error))
            return None
        self._converted, self._blind_since_us = True, None
        return picture

    def finish(self) -> None:
        """The source has ended. Raises `SourceError` when pictures were decoded and none of them could be shown."""
        if self._blind_since_us is not None and not self._converted:
            raise self._blind()

    def _failed(self, time_us: int, reason: str) -> None:
        metrics.DROPPED.labels("broken").inc()
        self._reason = reason
        if self._blind_since_us is None:
            self._blind_since_us = time_us
            log.warning("picture skipped", reason=f"it cannot be converted: {reason}")
        elif time_us - self._blind_since_us >= BLIND_US:
            raise self._blind()

    def _blind(self) -> SourceError:
        return SourceError(Fault.NOT_A_VIDEO, unshown(self._reason))


def unshown(reason: str) -> str:
    """What is wrong with a source whose pictures cannot be shown, and what to do."""
    return f"its pictures can be decoded but not shown ({reason}): set the camera to ordinary 8-bit colours (BT.709)"
