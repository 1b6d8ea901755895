"""A module to begin with: it tells sessions whether their picture is dark. Put your own look in the place of `look`."""

import asyncio
import io
import sys

from PIL import Image, ImageStat

from vigil_client.modules import Frame, Module, address, run

DARK = 40  # mean brightness, of 255


def look(frame: Frame) -> str:
    """What there is to say of a picture, in a sentence; empty: nothing."""
    picture = Image.open(io.BytesIO(frame.jpeg)).convert("L")
    return "the picture is dark" if ImageStat.Stat(picture).mean[0] < DARK else "the picture is light"


async def main(url: str) -> None:
    """Look at the newest picture of each session, again and again."""
    async with Module.connect(url=url) as module:
        sys.stderr.write(f"{module.tenant}/{module.name} waits for pictures\n")
        async for frame in module.frames():
            text = await asyncio.to_thread(look, frame)  # in a thread, so that the connection goes on meanwhile
            if text:
                await module.observe(frame, kind="light", text=text)
                sys.stderr.write(f"{frame.session} at {frame.time_s:.0f} s: {text}\n")


if __name__ == "__main__":
    sys.exit(run(main(address())))  # until Ctrl-C or SIGTERM; the address is what `vigil modules add light` printed
