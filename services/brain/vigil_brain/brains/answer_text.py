"""The text of an answer without what a model thought before it. Pure."""

import re

_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_TAIL = "</think>"


def without_thoughts(text: str) -> str:
    """`text` without `<think>…</think>`. Some servers take the opening tag for themselves: what stands before a closing
    tag alone is thought as well, and so is all behind an opening tag that nothing closes."""
    rest = _THOUGHTS.sub("", text)
    rest = rest.rpartition(_TAIL)[2]
    return rest.partition("<think>")[0].strip()
