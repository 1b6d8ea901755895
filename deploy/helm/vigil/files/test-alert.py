"""`helm test`: a rendered camera in this pod, a session that watches it, and its alert as a downstream system hears it.

    python test-alert.py --host POD_IP --gateway URL --tenant NAME --secrets FOLDER --ca-file FILE --timeout SECONDS

Exit status 0 once an alert has opened and has come by NATS; else 1 and a line that says what to look at.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from vigil_client.alerts import alert_subject, subscribed
from vigil_client.api import Client
from vigil_client.cloudevents import alert as read_alert
from vigil_client.errors import ClientError
from vigil_client.options import NewSession, NewSource, NewWatch
from vigil_client.watching import watched

CAMERA = "helm-test"
PORT = 8099
LET_IN_TRIES = 30
VIDEO = Path("/opt/vigil/demo.mp4")  # the image of the `vigil` command has it
WATCH = NewWatch("Alert me when a fire starts.", "fire", "critical", hold_s=5.0, cooldown_s=10.0)


def arguments() -> argparse.Namespace:
    """What the pod was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--secrets", type=Path, default=Path("/run/secrets/vigil"))
    parser.add_argument("--ca-file", default="")
    parser.add_argument("--timeout", type=float, default=180)
    return parser.parse_args()


def tell(line: str) -> None:
    """Say how far it has come."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def show(_: web.Request) -> web.FileResponse:
    """The video, any part of which can be asked for."""
    return web.FileResponse(VIDEO)


async def serve() -> web.AppRunner:
    """The camera: its video over HTTP."""
    app = web.Application()
    app.router.add_get(f"/{VIDEO.name}", show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", PORT).start()
    return runner


async def let_in(*addresses: str) -> None:
    """Wait until this pod may connect there: a cluster's network learns of a new pod some seconds late."""
    for parts in map(urlsplit, addresses):
        for attempt in range(LET_IN_TRIES):
            try:
                async with asyncio.timeout(1):
                    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            except OSError:  # a TimeoutError is one
                await asyncio.sleep(min(attempt, 1))
            else:
                writer.close()
                break


async def first_alert(given: argparse.Namespace, source: str) -> None:
    """Open the session and wait for its first alert. Raises `ClientError`, `TimeoutError`."""
    key = (given.secrets / "api_key").read_text().strip()
    nats_url = (given.secrets / "nats_url").read_text().strip()
    await let_in(nats_url, given.gateway)
    new = NewSession(NewSource(source, CAMERA, CAMERA, loop=True), watches=(WATCH,))
    async with (
        asyncio.timeout(given.timeout),
        Client(given.gateway, key, given.ca_file) as client,
        subscribed(nats_url, alert_subject(given.tenant, CAMERA), ca_file=given.ca_file) as received,
        watched(client, new) as session,
    ):
        began = time.monotonic()
        tell(f"session {session.id} is open: waiting for its alert on NATS")
        async for payload in received:
            alert = read_alert(payload)
            tell(f"alert {alert.alert_id} {alert.state} after {time.monotonic() - began:.1f} s")
            if alert.state == "opened":
                return


async def main(given: argparse.Namespace) -> int:
    """The exit status."""
    runner = await serve()
    try:
        await first_alert(given, f"http://{given.host}:{PORT}/{VIDEO.name}")
    except TimeoutError:
        tell(f"no alert within {given.timeout:g} s: `vigil doctor --cluster` and the logs of interaction say why")
        return 1
    except ClientError as error:
        tell(f"{error.message}: {error.next_step}")
        return 1
    finally:
        await runner.cleanup()
    tell("the alert came through: camera, ingestion, codec, interaction, NATS")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
