"""`python -m fuzz DOOR [--seconds N]`: look for inputs that crash a door, guided by coverage (atheris, on libFuzzer).

What it finds is written to `build/fuzz/DOOR/crash-…`; a crash ends the run with exit code 77. The inputs that reach
something new stay in `build/fuzz/DOOR/corpus`, beside the ones of this repository: `--keep` adds the shortest set of
them to it. Without a door each of them has its turn, in a process of its own.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

import atheris
import structlog

with atheris.instrument_imports(include=["vigil", "vigil_gateway", "vigil_ingestion", "vigil_codec"]):
    from fuzz.doors import DOORS

KEPT = Path(__file__).parent / "corpus"
OUT = Path("build/fuzz")
MAX_BYTES = 16_384
SLOWEST_S = 10  # an input that takes longer is a hang
MEMORY_MIB = 2_048


def fuzz(door: str, seconds: int) -> None:
    """Fuzz one door; ends the process."""
    out, kept = OUT / door, KEPT / door
    # What is refused is logged, a thousand times a second.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    (out / "corpus").mkdir(parents=True, exist_ok=True)
    flags = (
        f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={out}/", "-print_final_stats=1", "-verbosity=0",
    )  # fmt: skip
    atheris.Setup(["fuzz", *flags, str(out / "corpus"), str(kept)], DOORS[door])
    atheris.Fuzz()


def keep(door: str) -> None:
    """Add to the repository's corpus what reaches something that it does not; ends the process."""
    atheris.Setup(["fuzz", "-merge=1", "-max_len=2048", str(KEPT / door), str(OUT / door / "corpus")], DOORS[door])
    atheris.Fuzz()


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("door", nargs="?", choices=list(DOORS), help="which door; left out, all of them")
    parser.add_argument("--seconds", type=int, default=60, help="how long each door is fuzzed (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="add what was found to the repository's corpus")
    given = parser.parse_args()
    if given.door is None:
        rest = ["--keep"] if given.keep else ["--seconds", str(given.seconds)]
        ends = {door: subprocess.run([sys.executable, "-m", "fuzz", door, *rest], check=False) for door in DOORS}
        for door, end in ends.items():
            found = f"FOUND: see {OUT / door}" if end.returncode else "nothing found"
            sys.stdout.write(f"{door:12} {found}\n")
        return max(end.returncode for end in ends.values())
    if given.keep:
        keep(given.door)
    fuzz(given.door, given.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
