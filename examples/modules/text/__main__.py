"""`python -m text ADDRESS`: tells sessions what is written in their pictures, when it appears and when it is gone."""

import argparse
import sys
from collections.abc import Sequence

from finding import Finding
from kept import Kept
from looking import Look, add_address, address_of, look_on, run, say

from text.reading import Reader
from text.watching import Watched, watch
from vigil_client.modules import Frame, Module

EVERY_S = 0.5  # a little less than the second between two turns, which is never exact


def looker(reader: Reader) -> Look:
    """What looks at the pictures of all sessions."""
    sessions = Kept[Watched]()

    def look(frame: Frame) -> Sequence[Finding]:
        watched = sessions.get(frame.session, Watched())
        watched, findings = watch(watched, reader.read(frame.jpeg), frame.capture_time_us)
        sessions.put(frame.session, watched)
        return findings

    return look


async def serve(reader: Reader, address: str, every_s: float, ca_file: str = "") -> None:
    """Read for ever."""
    async with Module.connect(url=address, ca_file=ca_file) as module:
        say(f"{module.tenant}/{module.name} reads")
        await look_on(module, "text", looker(reader), every_s=every_s)


def main(argv: Sequence[str] | None = None) -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="text", description=__doc__)
    add_address(parser)
    parser.add_argument(
        "--every", type=float, default=EVERY_S, metavar="SECONDS", help="between two looks at a session"
    )
    options = parser.parse_args(argv)
    try:
        from text.rapid import RapidReader

        reader = RapidReader()
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}: the reader is an extra of its own, install it with `make modules`") from None
    return run(serve(reader, address_of(options), options.every, options.ca_file))


if __name__ == "__main__":
    sys.exit(main())
