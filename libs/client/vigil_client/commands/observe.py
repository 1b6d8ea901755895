"""`vigil observe`: tell a session what was noticed, by hand or from a script."""

from typing import Annotated

import typer

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.running import console, run
from vigil_client.commands.sessions import SessionId
from vigil_client.commands.subscribe import duration
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.options import Box, NewObservation


def observe(
    session: SessionId,
    text: Annotated[str, typer.Argument(help="What was noticed, in a sentence.")],
    module: Annotated[str, typer.Option("--module", help="Which module noticed it.")] = "operator",
    kind: Annotated[str, typer.Option("--kind", help="What kind of thing it is: face, text, temperature.")] = "note",
    capture_time: Annotated[
        str | None, typer.Option("--capture-time", metavar="RFC3339", help="When it was there; default: now.")
    ] = None,
    confidence: Annotated[float | None, typer.Option("--confidence", help="How sure the module is, 0 to 1.")] = None,
    ttl: Annotated[str, typer.Option("--ttl", metavar="10s", help="For how long it is worth telling.")] = "10s",
    box: Annotated[
        str, typer.Option("--box", metavar="X,Y,W,H", help="Which part of the picture it is about, in pixels.")
    ] = "",
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Tell a session what a module noticed: the model is shown it in the next turn, as data.

    A session whose options leave that module out refuses it. `vigil sessions change SESSION --modules --module NAME`
    has it hear the module.

    \b
    Examples:
      vigil observe s-5d0c6b6b4b1f4e7f "The bell rings." --module bell --kind sound
      vigil observe s-5d0c6b6b4b1f4e7f "31.5 degrees" --module cellar --kind temperature --ttl 1m
    """
    ttl_ms = round(duration(ttl).total_seconds() * 1_000)
    seen = NewObservation(module, kind, text, capture_time, confidence, ttl_ms, _box(box))

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            observation = await client.observe(session, seen)
        console.print(f"told ({observation}): the model is shown it in the session's next turn")
        return True

    run(work())


def _box(text: str) -> Box | None:
    """`X,Y,W,H`; None for nothing. Raises `typer.BadParameter`."""
    if not text:
        return None
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a box: write left, top, width and height, such as 10,20,64,48"
        ) from None
    return Box(left, top, width, height)
