"""Time zones by the names of the IANA, as the data base of this machine knows them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigil.core.errors import InvalidSpec


def check_zone(option: str, name: str) -> None:
    """Raise `InvalidSpec` for a name that is no time zone. An empty name is none, and says that another one counts."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSpec(f"{option} {name[:64]!r} is no time zone: give a name such as 'Europe/Berlin'") from None
