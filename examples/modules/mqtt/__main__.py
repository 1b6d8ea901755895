"""`python -m mqtt RULES ADDRESS`: tells sessions what sensors say over MQTT."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from looking import add_address, address_of, run, say, text_of

from mqtt.broker import Broker, read_broker
from mqtt.relay import relay
from mqtt.rule import InvalidRule, Rule, read_rules
from vigil_client.modules import Module


async def serve(broker: Broker, rules: Sequence[Rule], address: str, ca_file: str = "") -> None:
    """Listen for ever."""
    from mqtt.subscribing import messages

    async with Module.connect(url=address, ca_file=ca_file) as module:
        say(f"{module.tenant}/{module.name} follows {len(rules)} rules")
        await relay(module, rules, messages(broker, rules))


def main(argv: Sequence[str] | None = None) -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="mqtt", description=__doc__)
    parser.add_argument("rules", type=Path, help="TOML file with a table [broker] and tables [[rule]]")
    add_address(parser)
    options = parser.parse_args(argv)
    text = text_of(options.rules)
    try:
        broker, rules = read_broker(text), read_rules(text)
    except InvalidRule as error:
        raise SystemExit(f"{options.rules}: {error}") from None
    try:
        return run(serve(broker, rules, address_of(options), options.ca_file))
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error}: the client of MQTT is an extra of its own, install it with `make modules`"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
