"""A disk in a file, whose contents can be copied as they are at one moment: what a power cut would leave.

The file system in it keeps what nobody has flushed in memory, as any does. The copy of its file has not got that. Only
root can mount one.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

_SIZE_BYTES = 1 << 30


async def _run(*command: str) -> str:
    """Run a program; what it says when it fails, else nothing."""
    try:
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return "" if ended.returncode == 0 else ended.stderr.strip() or f"{command[0]} ended with {ended.returncode}"


async def new_disk(image: Path) -> None:
    """Make a file with an empty ext4 file system."""
    with image.open("wb") as file:
        file.truncate(_SIZE_BYTES)
    if fault := await _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image)):
        pytest.skip(f"a power cut needs a file system of its own: {fault}")


@asynccontextmanager
async def mounted(image: Path, at: Path) -> AsyncIterator[Path]:
    """The disk's folder, for as long as the block runs; the test is skipped where no image can be mounted."""
    if fault := await _run("mount", "--mkdir", "-o", "loop", str(image), str(at)):
        pytest.skip(f"a power cut needs a loop device, which only root can mount: {fault}")
    try:
        yield at
    finally:
        assert not await _run("umount", "--lazy", str(at))


async def copied(image: Path, to: Path) -> Path:
    """Copy the file as it is now."""
    fault = await _run("cp", "--sparse=always", str(image), str(to))
    assert not fault, fault
    return to
