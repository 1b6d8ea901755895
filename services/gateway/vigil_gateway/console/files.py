"""The built files of the console, read once: a request looks a name up and never touches the disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vigil.runtime.process.startup import StartupError

INDEX = "index.html"
ASSETS = "assets"
# The whole console has less than one; a folder with more is not the console's.
MAX_BYTES = 32 * 1024 * 1024
_GZIP = ".gz"
_OTHER = "application/octet-stream"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file: its bytes, the same compressed with gzip where the build made that, and its media type."""

    plain: bytes
    gzipped: bytes | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Console:
    """The page, and the assets by their name under `/assets/`."""

    index: File
    assets: Mapping[str, File]


def read(folder: Path, max_bytes: int = MAX_BYTES) -> Console:
    """The console that `make console` has built into `folder`. Raises `StartupError`."""
    try:
        files = dict(_files(folder, max_bytes))
    except OSError as error:
        raise StartupError(f"VIGIL_CONSOLE_DIR: {error.filename or folder} cannot be read: {error.strerror}") from None
    index = files.pop(INDEX, None)
    if index is None:
        raise StartupError(f"VIGIL_CONSOLE_DIR: {folder} has no {INDEX}: build the console with `make console`")
    return Console(index, {name.removeprefix(f"{ASSETS}/"): file for name, file in files.items() if _is_asset(name)})


def _is_asset(name: str) -> bool:
    return name.startswith(f"{ASSETS}/")


def _files(folder: Path, max_bytes: int) -> Iterator[tuple[str, File]]:
    """Every file by its path in the folder. What a link leads to outside of the folder is none of it."""
    root = folder.resolve()
    total = 0
    for path in sorted(root.rglob("*")):
        if path.suffix == _GZIP or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        total += path.stat().st_size
        if total > max_bytes:
            raise StartupError(f"VIGIL_CONSOLE_DIR: {folder} holds more than {max_bytes:,} bytes: it is no console")
        yield path.relative_to(root).as_posix(), _file(path)


def _file(path: Path) -> File:
    small = path.with_name(path.name + _GZIP)
    gzipped = small.read_bytes() if small.is_file() else None
    return File(path.read_bytes(), gzipped, _TYPES.get(path.suffix, _OTHER))
