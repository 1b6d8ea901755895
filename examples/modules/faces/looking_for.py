"""The process that looks. It reads the enrolled faces anew when their file changes: who is forgotten is so at once."""

import time
from collections.abc import Callable, Sequence

from finding import Finding
from kept import Kept
from looking import Look, look_on, say

from faces.config import Config
from faces.gallery import Gallery
from faces.vault import load, read_key
from faces.watching import Finder, Watched, watch
from vigil_client.modules import Frame, Module

EVERY_S = 0.5  # a little less than the second between two turns, which is never exact


class Enrolled:
    """The gallery of a file, as it is now."""

    def __init__(self, config: Config) -> None:
        self._file, self._key = config.faces_file, read_key(config.key_file)
        self._gallery, self._stamp = Gallery(), (0, 0)

    def now(self) -> Gallery:
        """Those who are enrolled and whose consent has not ended. Raises `Refused` when the file cannot be read."""
        try:
            status = self._file.stat()
            stamp = status.st_mtime_ns, status.st_ino
        except FileNotFoundError:
            stamp = 0, 0
        if stamp != self._stamp:
            self._gallery, self._stamp = load(self._file, self._key), stamp
        return self._gallery.at(time.time())


def looker(sessions: Sequence[str], finder: Finder, enrolled: Callable[[], Gallery]) -> Look:
    """What looks at the pictures of these sessions. While nobody is enrolled, no picture is looked at."""
    kept = Kept[Watched]()

    def look(frame: Frame) -> Sequence[Finding]:
        gallery = enrolled()
        if frame.session not in sessions or not gallery.people:
            return ()
        watched = kept.get(frame.session, Watched())
        watched, findings = watch(watched, finder.faces(frame.jpeg), gallery, frame.capture_time_us)
        kept.put(frame.session, watched)
        return findings

    return look


async def serve(config: Config, finder: Finder, address: str, ca_file: str = "") -> None:
    """Look for ever."""
    enrolled = Enrolled(config)
    people = len(enrolled.now().people)
    async with Module.connect(url=address, ca_file=ca_file) as module:
        say(f"{module.tenant}/{module.name} looks for {people} people in {', '.join(config.sessions)}")
        await look_on(module, "face", looker(config.sessions, finder, enrolled.now), every_s=EVERY_S)
