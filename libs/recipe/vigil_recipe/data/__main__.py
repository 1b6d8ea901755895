"""``python -m vigil_recipe.data``: check records of annotated videos, or write them out second by second."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from vigil_recipe.data.check import Limits
from vigil_recipe.data.convert import LAYOUTS, chunks_of, content_of, messages_of
from vigil_recipe.data.records import RecordError
from vigil_recipe.data.stream import Checked, OnError, Usable, read_files
from vigil_recipe.data.video import RATES, Sampling, VideoError, sample_jpegs

FORM = """\
A record is one JSON object, one a line or all in one JSON list:

  {"video_path": "kitchen.mp4",
   "question": [{"content": "Tell me when the water boils.", "time": 2.0}],
   "response": [{"content": "The water is boiling.", "time": 41.5}]}

Times are seconds of the video, in order. A response may delegate: "Let me check. </delegation> Why does it boil?".
Optional: id, video_name, task_type, source. Videos are looked for under --videos.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 when all went well, 1 when a record was refused or none was usable."""
    options = _parser().parse_args(argv)
    checked = Checked(options.videos, Limits(unprompted=options.unprompted), OnError(options.on_error))
    act: Callable[[argparse.Namespace, Checked], None] = options.act
    try:
        act(options, checked)
    except (RecordError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for problem in checked.skipped:
        sys.stderr.write(f"skipped: {problem}\n")
    sys.stdout.write(f"{checked.good} usable, {len(checked.skipped)} skipped\n")
    return 0 if checked.good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vigil_recipe.data",
        description=__doc__,
        epilog=FORM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    validate = commands.add_parser("validate", help="say which records cannot be used, and why")
    convert = commands.add_parser("convert", help="write one user and one assistant message for every second")
    for command, act, default in ((validate, _validate, "skip"), (convert, _convert, "refuse")):
        command.set_defaults(act=act)
        command.add_argument("files", nargs="+", type=Path, help="files of records")
        command.add_argument("--videos", type=Path, default=Path(), help="folder that the video paths start from")
        command.add_argument(
            "--on-error",
            choices=[mode.value for mode in OnError],
            default=default,
            help="leave out a bad record and report it, or stop at the first and write nothing (default: %(default)s)",
        )
        command.add_argument(
            "--unprompted", action="store_true", help="allow answers before any question, as in free commentary"
        )
    convert.add_argument("--out", type=Path, required=True, help="file of JSON lines: messages and pictures")
    convert.add_argument("--frames", type=Path, help="also write the pictures there as JPEG")
    convert.add_argument("--layout", choices=sorted(LAYOUTS), default="joyai", help="prompt layout (default: joyai)")
    convert.add_argument("--images", type=int, choices=RATES, default=1, help="pictures a second (default: 1)")
    convert.add_argument("--turns", type=int, default=100, help="seconds of one sample, as in serving (default: 100)")
    return parser


def _validate(options: argparse.Namespace, checked: Checked) -> None:
    for _ in checked(read_files(options.files)):
        pass


def _convert(options: argparse.Namespace, checked: Checked) -> None:
    profile = LAYOUTS[options.layout]
    sampling = Sampling(profile, options.images)
    stems = names_of(options.files)
    with whole_folders(options.frames) as folder, whole_file(options.out) as out:
        for usable in checked(read_files(options.files)):
            name = f"{stems[usable.record.file]}-{usable.record.number:06d}"
            if folder is not None and not _write_frames(folder, name, usable, sampling, checked):
                continue
            for index, chunk in enumerate(chunks_of(usable.seconds, options.turns)):
                messages = messages_of(chunk, profile, options.images)
                sample = {
                    "id": f"{usable.record.id or name}/{index}",
                    "video_path": usable.record.video_path,
                    "messages": [{"role": m.role, "content": content_of(m)} for m in messages],
                    "images": [
                        f"{name}/{second.second * options.images + image:06d}.jpg"
                        for second in chunk
                        for image in range(options.images)
                    ],
                }
                out.write(json.dumps(sample, ensure_ascii=False) + "\n")


def _write_frames(
    folder: Callable[[str], Path], name: str, usable: Usable, sampling: Sampling, checked: Checked
) -> bool:
    """The pictures of all seconds; where the video ends within the last one, its last picture stays. False when the
    record is left out because its video cannot be decoded."""
    try:
        jpegs = list(sample_jpegs(usable.video, sampling))
        if not jpegs:
            raise VideoError(f"{usable.video}: there is no picture in it")
    except VideoError as error:
        checked.good -= 1
        checked.leave_out(usable.record.error(f"video_path: {error}"))
        return False
    pictures = folder(name)
    for index in range(len(usable.seconds) * sampling.images_per_second):
        (pictures / f"{index:06d}.jpg").write_bytes(jpegs[min(index, len(jpegs) - 1)])
    return True


def names_of(files: Sequence[Path]) -> dict[str, str]:
    """A name for the samples of each file: its own without the ending, numbered where several bear it."""
    names: dict[str, str] = {}
    for path in files:
        same = sum(name.rpartition("~")[0] == path.stem or name == path.stem for name in names.values())
        names.setdefault(str(path), f"{path.stem}~{same + 1}" if same else path.stem)
    return names


@contextmanager
def whole_folders(parent: Path | None) -> Iterator[Callable[[str], Path] | None]:
    """Makes folders to write into that appear in ``parent`` under their names only when everything went well."""
    if parent is None:
        yield None
        return
    parts: dict[str, Path] = {}
    was_there = parent.exists()

    def folder(name: str) -> Path:
        parts[name] = parent / f".{name}.part"
        shutil.rmtree(parts[name], ignore_errors=True)
        parts[name].mkdir(parents=True)
        return parts[name]

    try:
        yield folder
        for name, part in parts.items():
            shutil.rmtree(parent / name, ignore_errors=True)
            part.rename(parent / name)
    finally:
        for part in parts.values():
            shutil.rmtree(part, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # it holds what was written
                parent.rmdir()


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file to write that appears under its name only when everything went well."""
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
