"""The console's files over HTTP. They need no key: there is nothing in them that is anybody's."""

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vigil_gateway.console import files
from vigil_gateway.console.files import File
from vigil_gateway.console.headers import ASSET_CACHE, INDEX_CACHE, PROTECTION

# The pages of the console; the page itself finds out which of them the address names.
PAGES = (
    "/",
    "/login",
    "/wall",
    "/sessions/{rest:path}",
    "/alerts",
    "/alerts/{rest:path}",
    "/approvals",
    "/trust",
    "/trust/{rest:path}",
    "/system",
)
_READS = ["GET", "HEAD"]
_NOT_FOUND = 404


def install(app: FastAPI, folder: Path | None) -> None:
    """Serve the console of `folder`; without a folder there is none. Raises `StartupError`."""
    if folder is None:
        return
    console = files.read(folder)

    async def show_page(request: Request) -> Response:
        return _answer(request, console.index, INDEX_CACHE)

    async def show_asset(request: Request, name: str) -> Response:
        file = console.assets.get(name)
        if file is None:
            raise HTTPException(_NOT_FOUND)
        return _answer(request, file, ASSET_CACHE)

    for path in PAGES:
        app.add_api_route(path, show_page, methods=_READS, include_in_schema=False)
    app.add_api_route("/assets/{name:path}", show_asset, methods=_READS, include_in_schema=False)


def _answer(request: Request, file: File, cache: str) -> Response:
    headers = {**PROTECTION, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    body = file.plain
    if file.gzipped is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        body = file.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=file.media_type)


def _takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` names gzip, and not with the weight 0 that forbids it."""
    for offer in accepted.lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "").rstrip("0") not in ("q=", "q=0.")
    return False
