"""The presets for GPUs are the arithmetic that docs/gpu.md shows, and hold what a session needs."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from vigil.core.profile import profile
from vigil.core.session import DEFAULT_CHUNK_TURNS
from vigil_interaction.image_cache import image_capacity

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "gpu.md").read_text("utf-8")
GIB = 1 << 30
KV_BYTES = {16: 36 * 2 * 8 * 128 * 2, 8: 36 * 2 * 8 * 128}
TURN_TOKENS, SMALL_TURN_TOKENS, OTHER_TOKENS = 272, 88, 1_500
CHUNK_TOKENS = DEFAULT_CHUNK_TURNS * TURN_TOKENS + OTHER_TOKENS
WEIGHTS = {8: 9.9, 16: 16.8}


@dataclass(frozen=True, slots=True)
class Gpu:
    """A preset: what the GPU has in GiB, bits of the weights, what the engine works with in GiB; and the shares that
    are reserved for the summariser, with its weights in GiB, and for speech."""

    name: str
    memory: float
    bits: int
    working: float
    summariser: float = 0.0
    summariser_weights: float = 0.0
    speech: float = 0.0

    @property
    def preset(self) -> dict[str, str]:
        """The file for compose."""
        lines = (ROOT / "deploy" / "presets" / f"gpu-{self.name}gb.env").read_text("utf-8").splitlines()
        return dict(line.split("=") for line in lines if line and not line.startswith("#"))

    @property
    def share(self) -> float:
        """The engine's share of the GPU."""
        return float(self.preset["VIGIL_ENGINE_GPU_SHARE"])

    @property
    def left(self) -> float:
        """GiB for keys and values."""
        return round(round(self.share * self.memory, 1) - WEIGHTS[self.bits] - self.working, 1)

    @property
    def tokens(self) -> int:
        """Tokens of 8 bits that these hold."""
        return int(self.left * GIB // KV_BYTES[8])


GPUS = (
    Gpu("24", 22.5, 8, 2.0),
    Gpu("48", 45.0, 16, 2.5, 0.24, 5.0, 0.04),
    Gpu("80", 79.6, 16, 3.0, 0.18, 8.3, 0.04),
)
EACH = pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: f"{gpu.name} GB")


def row(*beginning: str) -> list[str]:
    """The cells of the page's row that begins with these."""
    head = "| " + " | ".join(beginning)
    (found,) = [line for line in PAGE.splitlines() if line.startswith(head)]
    return [cell.strip() for cell in found.strip("|").split("|")]


@EACH
def test_the_sessions_of_a_preset_are_the_full_chunks_that_its_memory_holds(gpu: Gpu) -> None:
    sessions = gpu.tokens // CHUNK_TOKENS
    assert int(gpu.preset["VIGIL_CAPACITY"]) == sessions
    shorter = gpu.tokens // (DEFAULT_CHUNK_TURNS // 2 * TURN_TOKENS + OTHER_TOKENS)
    smaller = gpu.tokens // (DEFAULT_CHUNK_TURNS * SMALL_TURN_TOKENS + OTHER_TOKENS)
    shown = row(f"{gpu.name} GB", f"{gpu.share} x {gpu.memory} = {gpu.share * gpu.memory:.1f}", str(WEIGHTS[gpu.bits]))
    assert shown[3:] == [str(gpu.working), str(gpu.left), f"{gpu.tokens:,}", *map(str, (sessions, shorter, smaller))]


@EACH
def test_the_shares_leave_room_for_the_driver(gpu: Gpu) -> None:
    assert round(gpu.share + gpu.summariser + gpu.speech, 2) <= 0.94


@EACH
def test_a_chunk_fits_into_a_prompt_and_its_pictures_into_the_cache(gpu: Gpu) -> None:
    assert int(gpu.preset["VIGIL_ENGINE_MAX_LEN"]) > CHUNK_TOKENS + 4_096
    cache = int(gpu.preset["VIGIL_ENGINE_IMAGES_GB"]) * GIB
    assert image_capacity(cache, profile("vigil-small"), DEFAULT_CHUNK_TURNS) >= int(gpu.preset["VIGIL_CAPACITY"])


@pytest.mark.parametrize("gpu", GPUS[1:], ids=lambda gpu: f"{gpu.name} GB")
def test_a_summariser_can_read_a_full_chunk(gpu: Gpu) -> None:
    share = round(gpu.summariser * gpu.memory, 1)
    left = round(share - gpu.summariser_weights - 1.0, 1)
    tokens = int(left * GIB // KV_BYTES[16])
    assert tokens > CHUNK_TOKENS
    shown = row(f"{gpu.name} GB", f"{gpu.summariser} x {gpu.memory} = {share}")
    assert shown[2:] == [str(gpu.summariser_weights), "1.0", str(left), f"{tokens:,}"]


@pytest.mark.parametrize(
    ("beginning", "variable"),
    [
        ("keys and values (`--kv-cache-dtype`)", "VIGIL_ENGINE_KV_DTYPE"),
        ("engine's share (`--gpu-memory-utilization`)", "VIGIL_ENGINE_GPU_SHARE"),
        ("picture cache (`--mm-processor-cache-gb`, in host memory)", "VIGIL_ENGINE_IMAGES_GB"),
        ("sessions (`VIGIL_CAPACITY`, of each interaction worker)", "VIGIL_CAPACITY"),
        ("prompt (`--max-model-len`)", "VIGIL_ENGINE_MAX_LEN"),
        ("host memory for the engine", "VIGIL_ENGINE_MEMORY"),
    ],
)
def test_the_page_shows_what_the_presets_say(beginning: str, variable: str) -> None:
    shown = [re.sub(r"[ ,]|GB", "", cell) for cell in row(beginning)[1:]]
    assert shown == [gpu.preset[variable].removesuffix("g") for gpu in GPUS]


def test_nobody_takes_the_page_for_a_measurement() -> None:
    assert "Nothing on this page was measured" in PAGE
    for gpu in GPUS:
        assert "not measured" in (ROOT / "deploy" / "presets" / f"gpu-{gpu.name}gb.env").read_text("utf-8")
