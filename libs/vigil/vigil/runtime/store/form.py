"""The form in which a session is stored, as a number: so that releases of different age can share one Redis.

What one process writes for another to read carries the number as its first field, `form`: the spec, the head (for all
of the state, the turns and the log), every command and every result. What has no number is of form 0, which releases
before the numbers wrote. A worker that takes over a session of an older form writes all of its state anew with its
first commit, so that no state is ever of two forms.

A change that old readers cannot understand gets a new number, in two releases: the first reads it, the next one also
writes it. Then two neighbouring releases can work side by side, whichever comes first in a rolling upgrade, and one
release can be rolled back. A field that has a default and may be passed over needs no new number.
"""

from dataclasses import dataclass

import msgspec

WRITTEN = 1
"""The form that this release writes."""
READ = 1
"""The newest form that this release reads. It reads every older one, too."""

IS_NEWER = (
    f"session {{key}} is stored in a newer form than {READ}, the newest that this release reads: it is left to the "
    "release that wrote it; upgrade this one, or end the session"
)


@dataclass(frozen=True, slots=True)
class _Numbered:
    form: int = 0


def numbered(document: bytes) -> bytes:
    """A JSON object with the number of the form that this release writes. The scripts look for it at the beginning."""
    return b'{"form":%d,%s' % (WRITTEN, document[1:])


def form_of(document: bytes) -> int:
    """The form of a JSON object. Raises `UNREADABLE`."""
    return msgspec.json.decode(document, type=_Numbered).form
