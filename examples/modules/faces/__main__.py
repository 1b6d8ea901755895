"""`python -m faces FILE.toml COMMAND`: who agreed to be recognised, and, once it is switched on, who is in the picture.

key                                     make the key that seals the faces
enrol NAME PICTURE --consent "…"        add a face of somebody who agreed
list                                    who is enrolled, with what they agreed to and until when
forget NAME                             remove somebody, in effect within a second
run ADDRESS                             tell sessions who is in their pictures
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from looking import add_address, address_of, run, say, text_of

from faces.config import Config, InvalidConfig, read_config
from faces.gallery import DAY_S, Person, Refused
from faces.looking_for import serve
from faces.vault import load, new_key, read_key, save
from faces.watching import Finder

KEPT_DAYS = 365


def main(argv: Sequence[str] | None = None) -> int:
    """The process."""
    options = _parser().parse_args(argv)
    try:
        config = read_config(text_of(options.config), options.config.parent)
        if options.command == "run":
            config.check_on()
            return run(serve(config, _finder(), address_of(options), options.ca_file))
        _COMMANDS[options.command](config, options)
    except (InvalidConfig, Refused) as error:
        raise SystemExit(f"{error}") from None
    return 0


def _make_key(config: Config, _: argparse.Namespace) -> None:
    new_key(config.key_file)
    say(f"wrote {config.key_file}: without it nobody can read the faces again, so keep it, and keep it apart")


def _enrol(config: Config, options: argparse.Namespace) -> None:
    key = read_key(config.key_file)
    try:
        found = _finder().faces(options.picture.read_bytes())
    except OSError as error:
        raise Refused(f"{options.picture} is no picture: {error}") from None
    if len(found) != 1:
        raise Refused(f"{options.picture} shows {len(found)} faces: give a picture of one person, from the front")
    now_s = int(time.time())
    person = Person(options.name, options.consent, now_s, now_s + options.days * DAY_S, (found[0].embedding,))
    save(load(config.faces_file, key).at(now_s).enrol(person), config.faces_file, key)
    say(f"enrolled {person.name} until {_day(person.until_s)}; the picture itself is not kept")


def _list(config: Config, _: argparse.Namespace) -> None:
    for person in load(config.faces_file, read_key(config.key_file)).people:
        since, until = _day(person.enrolled_s), _day(person.until_s)
        sys.stdout.write(f"{person.name}: {len(person.faces)} faces, {since} to {until}: {person.consent}\n")


def _forget(config: Config, options: argparse.Namespace) -> None:
    key = read_key(config.key_file)
    save(load(config.faces_file, key).forget(options.name), config.faces_file, key)
    say(f"forgot {options.name}; backups of {config.faces_file.name} still hold what they held")


_COMMANDS = {"key": _make_key, "enrol": _enrol, "list": _list, "forget": _forget}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="faces", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="TOML file, as faces.toml beside this program")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key")
    enrol = commands.add_parser("enrol")
    enrol.add_argument("name")
    enrol.add_argument("picture", type=Path)
    enrol.add_argument("--consent", required=True, help="who agreed, when, and to what")
    enrol.add_argument("--days", type=int, default=KEPT_DAYS, help=f"for how long, {KEPT_DAYS} by default")
    commands.add_parser("list")
    commands.add_parser("forget").add_argument("name")
    add_address(commands.add_parser("run"))
    return parser


def _finder() -> Finder:
    try:
        from faces.dlib_finder import DlibFinder

        return DlibFinder()
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}: what finds faces is an extra of its own, install it with `make modules`") from None


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


if __name__ == "__main__":
    sys.exit(main())
