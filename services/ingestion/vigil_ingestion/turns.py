"""What an open source gives: its turns, and what is to be said of the source meanwhile."""

from typing import Protocol

from vigil.contract.frames import Frame
from vigil.core.session import Cadence
from vigil.runtime.channel import KeepLatest
from vigil_ingestion.camera_clock import ClockNotice
from vigil_ingestion.media import MediaInfo
from vigil_ingestion.sampler import Group


class Turns(Protocol):
    """The newest turn of a source that is open. `turns` ends when the source has ended for good, which is why `ending`
    says, and raises `SourceError` when the source fails."""

    @property
    def turns(self) -> KeepLatest[Group[Frame]]:
        """The newest turn."""
        ...

    @property
    def info(self) -> MediaInfo | None:
        """What the source says it is."""
        ...

    @property
    def complaint(self) -> str:
        """What is damaged."""
        ...

    @property
    def ending(self) -> str:
        """Why it ended, when it has."""
        ...

    @property
    def clock(self) -> ClockNotice | None:
        """What is wrong with the source's time stamps now."""
        ...

    def retune(self, cadence: Cadence) -> None:
        """Sample at another cadence from the next picture on."""
        ...

    def show_next(self) -> None:
        """Show the next picture at once, whatever the cadence: a question waits for a turn."""
        ...
