"""Run once more, alone and one after another, the tests that have failed.

A machine that stands still for a minute, or has no time for ten processes, fails a test that waits for a real process;
a fault of the code fails it again. What passed only alone is named at the end of the run, so that nobody overlooks it.

    python tests/again.py FOLDER STATUS

FOLDER holds a cache of pytest for each run, STATUS is how the runs ended: 1 says that tests failed. Anything else, and
failures in many files, are no matter of time: nothing is run again, and the status stays what it was.
"""

import json
import sys
from pathlib import Path

import pytest

TESTS_FAILED = 1
MOST_FILES = 10  # so many processes run side by side: a machine that stands still may fail a test in each
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")


def failed_in(folder: Path) -> list[str]:
    """The tests that failed, as pytest names them."""
    caches = sorted(folder.glob("*/v/cache/lastfailed"))
    return sorted({name for cache in caches for name in json.loads(cache.read_text("utf-8"))})


def again(failed: list[str], status: int) -> int:
    """The status of the runs after the tests that failed were run alone."""
    files = {name.partition("::")[0] for name in failed}
    if status != TESTS_FAILED or not failed:
        return status
    if len(files) > MOST_FILES:
        _say(f"tests of {len(files)} files failed: these are no accidents, so none is run again")
        return status
    _say(f"{len(failed)} failed: once more, alone")
    status = int(pytest.main([*OPTIONS, *failed]))
    if status == 0:
        _say("\n      ".join(["passed alone, after they had failed in the run:", *failed]))
    return status


def _say(text: str) -> None:
    sys.stdout.write(f"==> {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(again(failed_in(Path(sys.argv[1])), int(sys.argv[2])))
