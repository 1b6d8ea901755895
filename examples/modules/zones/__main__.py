"""`python -m zones ZONES ADDRESS`: tells sessions when something begins to move in a zone, and when it stops."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from finding import Finding
from kept import Kept
from looking import Look, add_address, address_of, look_on, run, say, text_of

from vigil_client.modules import Frame, Module
from zones.motion import small
from zones.watching import Watched, watch
from zones.zone import InvalidZone, Zone, read_zones


def looker(zones: Sequence[Zone]) -> Look:
    """What looks at the pictures of all sessions."""
    sessions = Kept[Watched]()

    def look(frame: Frame) -> Sequence[Finding]:
        own = [zone for zone in zones if zone.holds_for(frame.session)]
        watched = sessions.get(frame.session, Watched())
        watched, findings = watch(watched, small(frame.jpeg), own, frame.capture_time_us, (frame.width, frame.height))
        sessions.put(frame.session, watched)
        return findings

    return look


async def serve(zones: Sequence[Zone], address: str, ca_file: str = "") -> None:
    """Watch the zones for ever."""
    async with Module.connect(url=address, ca_file=ca_file) as module:
        say(f"{module.tenant}/{module.name} watches {', '.join(zone.name for zone in zones)}")
        await look_on(module, "zone", looker(zones))


def main(argv: Sequence[str] | None = None) -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="zones", description=__doc__)
    parser.add_argument("zones", type=Path, help="TOML file with tables [[zone]]")
    add_address(parser)
    options = parser.parse_args(argv)
    try:
        zones = read_zones(text_of(options.zones))
    except InvalidZone as error:
        raise SystemExit(f"{options.zones}: {error}") from None
    return run(serve(zones, address_of(options), options.ca_file))


if __name__ == "__main__":
    sys.exit(main())
