"""A whole run in small: both stages, the log, resuming. Needs the engine environment."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.clips import render_clips  # noqa: E402
from vigil_recipe.train import Settings, Trainer, one_cycle  # noqa: E402
from vigil_recipe.world import Split  # noqa: E402

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("train")
    for split in (Split.TRAIN, Split.VALIDATION):
        render_clips(folder / "clips", split, 1)
    return Settings(folder / "clips", folder / "run", sight_steps=2, steps=1, sight_rate=1e-3, rate=1e-3)


def test_a_run_trains_logs_saves_and_resumes(settings: Settings) -> None:
    trainer = Trainer(settings)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.run()
    assert trainer.step == 3
    changed = [name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])]
    assert any("visual" in name for name in changed)
    assert any("language_model" in name for name in changed)
    notes = [json.loads(line) for line in (settings.out / "log.jsonl").read_text().splitlines()]
    assert [note["step"] for note in notes] == [3]
    assert notes[0]["validation"]["turns"] > 0

    resumed = Trainer(settings)
    resumed.resume()
    assert resumed.step == 3
    assert all(
        torch.equal(value, trainer.model.state_dict()[name]) for name, value in resumed.model.state_dict().items()
    )


def test_the_rate_warms_up_and_falls() -> None:
    rates = [one_cycle(step / 1000, 1e-3, step) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) == pytest.approx(1e-3, rel=0.05)
    assert rates[-1] == pytest.approx(2e-5, rel=0.01)


def test_the_vision_tower_learns_slower_beside_the_language_model(settings: Settings) -> None:
    trainer = Trainer(settings)
    weight = next(iter(trainer.model.parameters()))
    trainer.advance({"loss": (weight**2).sum()}, 0.004, 0.002)
    rates = {group["sight"]: group["lr"] for group in trainer.optimiser.param_groups}
    assert rates == {True: 0.002, False: 0.004}
