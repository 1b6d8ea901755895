"""A ticket desk: takes tickets as JSON by webhook, each once, and shows them. It stands for yours."""

import argparse
import asyncio
import sys

from aiohttp import web

TICKETS = web.AppKey("tickets", dict[str, str])


def desk() -> web.Application:
    """`POST /tickets` writes one, once for each `Idempotency-Key`; `GET /tickets` lists them."""
    app = web.Application(client_max_size=64 * 1024)
    app[TICKETS] = {}
    app.router.add_post("/tickets", write)
    app.router.add_get("/tickets", show)
    return app


async def write(request: web.Request) -> web.Response:
    """Write a ticket, unless it was written before."""
    tickets, key = request.app[TICKETS], request.headers.get("Idempotency-Key", "")
    ticket = await request.json()
    if not key or not isinstance(ticket, dict) or not isinstance(ticket.get("title"), str):
        return web.json_response({"error": "send a JSON object with a title, and an Idempotency-Key"}, status=400)
    if key not in tickets:
        tickets[key] = ticket["title"]
        sys.stdout.write(f"ticket {len(tickets)}: {ticket['title']}\n")
        sys.stdout.flush()
    return web.json_response({"tickets": len(tickets)}, status=201)


async def show(request: web.Request) -> web.Response:
    """Every ticket, oldest first."""
    return web.json_response(list(request.app[TICKETS].values()))


async def serve(port: int) -> None:
    """Serve on loopback until the process is told to stop."""
    runner = web.AppRunner(desk())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"the desk takes tickets at http://127.0.0.1:{port}/tickets\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    asyncio.run(serve(parser.parse_args().port))
