"""Sampled pictures on disk, one file for each video and sampling. Over a size, the least recently used are deleted."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vigil_recipe.data.video import Sampling, sample_jpegs


@dataclass(frozen=True, slots=True)
class FrameCache:
    """Holds at most ``most_bytes``. Several processes may share the folder: files appear whole or not at all."""

    folder: Path
    most_bytes: int

    def jpegs(self, video: Path, sampling: Sampling) -> tuple[bytes, ...]:
        """All pictures of a video. Raises VideoError. A changed video (size or time) is sampled again."""
        path = self._path(video, sampling)
        kept = _read(path)
        if kept is not None:
            return kept
        made = tuple(sample_jpegs(video, sampling))
        self._write(path, made)
        return made

    def _path(self, video: Path, sampling: Sampling) -> Path:
        stat = video.stat() if video.exists() else None
        about = (str(video.resolve()), stat and stat.st_size, stat and stat.st_mtime_ns, sampling.name)
        return self.folder / f"{hashlib.sha256(repr(about).encode()).hexdigest()[:32]}.zip"

    def _write(self, path: Path, jpegs: tuple[bytes, ...]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with zipfile.ZipFile(part, "w") as archive:
            for index, jpeg in enumerate(jpegs):
                archive.writestr(f"{index:06d}.jpg", jpeg)
        part.rename(path)
        self._shrink()

    def _shrink(self) -> None:
        kept = sorted(
            ((stat.st_mtime_ns, stat.st_size, path) for path, stat in self._files()), key=lambda entry: entry[0]
        )
        total = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if total <= self.most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self.folder.glob("*.zip"):
            stat = _or_none(path.stat)
            if stat is not None:
                found.append((path, stat))
        return found


def _read(path: Path) -> tuple[bytes, ...] | None:
    """The pictures of a file, which counts as used now; None when it is not there, also when given up meanwhile."""
    try:
        with zipfile.ZipFile(path) as archive:
            jpegs = tuple(archive.read(name) for name in sorted(archive.namelist()))
        os.utime(path)
    except FileNotFoundError:
        return None
    return jpegs


def _or_none(stat: Callable[[], os.stat_result]) -> os.stat_result | None:
    try:
        return stat()
    except FileNotFoundError:
        return None
