"""Where a person is led after the login: to a path of this origin and to nothing else. Pure."""

import re

START = "/"
MAX_PATH_CHARS = 512
# A second slash or a backslash would begin another host, and a control character may be dropped by browsers.
_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def own_path(asked: str) -> str:
    """`asked` when it is a path of this origin, else the first page."""
    return asked if len(asked) <= MAX_PATH_CHARS and _OWN.fullmatch(asked) else START
