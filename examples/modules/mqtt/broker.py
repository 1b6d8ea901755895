"""Where the sensors' messages come from: the broker, as `[broker]` of the file names it. Pure."""

import tomllib
from dataclasses import dataclass
from typing import Any

from mqtt.rule import InvalidRule

FIELDS = {"host": str, "port": int, "user": str, "password_file": str, "ca_file": str, "is_tls": bool}
PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True)
class Broker:
    """`ca_file` is the PEM file of the authorities behind a TLS broker, empty for the system's."""

    host: str
    port: int
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    is_tls: bool = False


def read_broker(text: str) -> Broker:
    """The table `[broker]` of a TOML file. Raises `InvalidRule`."""
    try:
        table: Any = tomllib.loads(text).get("broker")
    except tomllib.TOMLDecodeError as error:
        raise InvalidRule(f"the file is no TOML: {error}") from None
    if not isinstance(table, dict) or not table.get("host"):
        raise InvalidRule("the file needs a table [broker] with a `host`")
    for name, value in table.items():
        if name not in FIELDS or type(value) is not FIELDS[name]:
            raise InvalidRule(f"[broker] has {name} = {value!r}: there are {', '.join(FIELDS)}")
    is_tls = table.get("is_tls", False) or bool(table.get("ca_file"))
    given = {"port": TLS_PORT if is_tls else PORT, **table, "is_tls": is_tls}
    if not 0 < given["port"] < 65_536:
        raise InvalidRule(f"[broker] has the port {given['port']}: give 1 to 65535")
    return Broker(**given)
