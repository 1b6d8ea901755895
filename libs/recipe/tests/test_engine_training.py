"""A whole run in small: stages, log, checkpoints, resuming. Needs the engine environment."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from safetensors.torch import load_file  # noqa: E402
from transformers import set_seed  # noqa: E402

from vigil_recipe.training.__main__ import main  # noqa: E402
from vigil_recipe.training.checkpoint import fresh  # noqa: E402
from vigil_recipe.training.objective import PAPER  # noqa: E402
from vigil_recipe.training.run import REHEARSED_CLIPS, rehearsed, run, stages_named  # noqa: E402
from vigil_recipe.training.run_log import read_log, spent_s  # noqa: E402
from vigil_recipe.training.settings import Settings, SettingsError, check_settings, read_settings  # noqa: E402
from vigil_recipe.training.stages import make_trainer  # noqa: E402

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")]

SMALL, LARGE = (Path(__file__).parents[1] / name for name in ("small.toml", "large.toml"))
MIX = {"alerting": 1, "translation": 1, "counting": 1, "summary": 1}


def table(folder: Path) -> dict[str, Any]:
    clips = {"plain": 1, "sign": 1, "crossing": 1}
    return {
        "base": "fresh small",
        "out": str(folder / "run"),
        "save_every": 2,
        "log_every": 1,
        "validate_every": 3,
        "world": {
            "clips": str(folder / "clips"),
            "train_clips": clips,
            "validation_clips": clips,
            "validation_cases": 1,
        },
        "hardware": {"loader_workers": 0, "cpu": True, "precision": "fp32"},
        "stages": [
            {"name": "sight", "kind": "sight", "steps": 2, "frame_budget": 8},
            {
                "name": "all",
                "kind": "interaction",
                "steps": 3,
                "turn_budget": 24,
                "phases": [{"until": 1.0, "turns": {"12": 1.0}, "mix": MIX}],
            },
        ],
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return check_settings(table(tmp_path_factory.mktemp("train")))


@pytest.fixture(scope="module")
def trained(settings: Settings) -> Path:
    return run(settings)


def test_every_stage_leaves_a_checkpoint(settings: Settings, trained: Path) -> None:
    assert trained == settings.out / "all" / "model"
    sight, last = (load_file(settings.out / name / "model/model.safetensors") for name in ("sight", "all"))
    assert not any(name.startswith("probe") for name in last)
    set_seed(settings.seed)
    start = fresh().model.state_dict()
    text, vision = "model.language_model.layers.5.mlp.down_proj.weight", "model.visual.blocks.0.mlp.linear_fc1.weight"
    assert torch.equal(sight[text], start[text])
    assert not torch.equal(sight[text], last[text])
    assert not torch.equal(sight[vision], start[vision])
    assert not torch.equal(sight[vision], last[vision])


def test_every_stage_draws_its_own_pictures_and_the_same_ones_each_time(
    settings: Settings, trained: Path, tmp_path: Path
) -> None:
    def drawn(name: str) -> Any:
        trainer, _ = make_trainer(settings, replace(settings.stages[0], name=name), fresh(), tmp_path / "log.jsonl")
        return torch.cat([frame.flatten() for frame in next(iter(trainer.train_dataset))["frames"]])

    first = drawn("first")
    assert torch.equal(first, drawn("first"))
    assert not torch.equal(first, drawn("second"))


def test_the_log_has_losses_and_validation_of_every_kind(settings: Settings, trained: Path) -> None:
    notes = read_log(settings.out / "log.jsonl")
    assert [note["step"] for note in notes if note["stage"] == "sight"] == [1, 2]
    assert all(note["loss"] > 0 for note in notes if "loss" in note)
    validated = [note for note in notes if "validation" in note]
    assert [note["step"] for note in validated] == [3]
    assert set(validated[0]["validation"]) == set(MIX)
    assert all(counts["turns"] > 0 for counts in validated[0]["validation"].values())
    assert spent_s(notes) > 0


@pytest.mark.slow
def test_a_stopped_stage_goes_on_as_if_it_had_not_stopped(settings: Settings, trained: Path) -> None:
    stage = settings.out / "all"
    before = load_file(trained / "model.safetensors")
    shutil.rmtree(trained)
    shutil.rmtree(stage / "checkpoint-3")
    assert run(settings) == trained
    for name, value in load_file(trained / "model.safetensors").items():
        torch.testing.assert_close(value, before[name], msg=name)


def test_a_finished_run_does_nothing_more(settings: Settings, trained: Path) -> None:
    before = (trained / "model.safetensors").stat().st_mtime_ns
    assert run(settings) == trained
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


def test_the_shipped_settings_are_valid() -> None:
    settings = read_settings(SMALL)
    kinds = ["sight", "interaction", "sight", *["interaction"] * 7, "mean"]
    assert [stage.kind for stage in settings.stages] == kinds
    assert [stage.name for stage in stages_named(settings.stages, ["words"])] == ["words"]
    large = read_settings(LARGE)
    assert large.records is not None
    assert large.hardware.fsdp
    assert large.stages[0].weighting == PAPER


def test_a_rehearsal_does_not_go_on_with_an_earlier_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SMALL), "--rehearse", "1", "--out", str(tmp_path)]) == 1
    assert f"{tmp_path} is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("connector", "expected"), [(None, {"sight": 0.0, "connector": 0.0}), (1.0, {"sight": 0.0, "connector": 1.0})]
)
def test_the_connector_learns_beside_a_frozen_vision_tower(
    settings: Settings, trained: Path, tmp_path: Path, connector: float | None, expected: dict[str, float]
) -> None:
    assert trained.exists(), "the clips are there"
    stage = replace(settings.stages[-1], sight_share=0.0, connector_share=connector, probe=False)
    trainer, _ = make_trainer(replace(settings, out=tmp_path), stage, fresh(), tmp_path / "log.jsonl")
    names = {id(value): name for name, value in trainer.model.named_parameters()}
    rates: dict[str, set[float]] = {"sight": set(), "connector": set(), "language": set()}
    for group in trainer.create_optimizer().param_groups:
        for value in group["params"]:
            name = names[id(value)]
            part = "language" if "visual" not in name else "connector" if "merger" in name else "sight"
            rates[part].add(group["lr"] / stage.rate)
    assert rates == {part: {share} for part, share in (expected | {"language": 1.0}).items()}


def test_a_rehearsal_takes_every_stage_and_few_steps_and_clips() -> None:
    whole = read_settings(SMALL)
    short = rehearsed(whole, 3)
    assert [(stage.name, stage.kind, stage.phases) for stage in short.stages] == [
        (stage.name, stage.kind, stage.phases) for stage in whole.stages
    ]
    assert [stage.steps for stage in short.stages] == [3 if stage.steps else 0 for stage in whole.stages]
    assert whole.world is not None
    assert short.world is not None
    assert set(short.world.train_clips) == set(whole.world.train_clips)
    assert set(short.world.train_clips.values()) == {REHEARSED_CLIPS}
    assert short.out == Path("build/train/small-rehearsal"), "a run that was begun is left alone"
    with pytest.raises(SettingsError, match="--rehearse 0: give the number of steps"):
        rehearsed(whole, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": []}, "stages"),
        ({"sedd": 1}, "sedd: Unexpected keyword argument"),
        ({"seed": "many"}, "seed: Input should be a valid integer"),
        ({"world": None}, "exactly one source of data"),
        ({"stages": [{"name": "a", "kind": "sight"}]}, "stage 'a' needs steps above 0"),
        ({"stages": [{"name": "a", "kind": "mean", "of": ["b"]}]}, "stage 'a': a mean, and nothing else, is of two"),
        ({"stages": [{"name": "a", "kind": "mean"}]}, "stage 'a': a mean, and nothing else"),
        ({"stages": [{"name": "a", "kind": "sight", "of": ["b"]}]}, "stage 'a': a mean, and nothing else"),
        ({"stages": [{"name": "a", "kind": "sight", "of": ["b", "c"]}]}, "stage 'a': a mean, and nothing else"),
        ({"stages": [{"name": "a", "kind": "mean", "of": ["b", "c"]}]}, "a mean of 'b', which is no earlier stage"),
        ({"stages": [{"name": "a", "kind": "interaction", "steps": 1}]}, r"needs \[\[stages.phases\]\]"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_settings(table(tmp_path) | change, "run.toml")


def test_blind_batches_need_something_to_say(tmp_path: Path) -> None:
    wrong = table(tmp_path)
    wrong["stages"][1]["phases"][0] |= {"mix": {"watching": 1}, "blind": 0.5}
    with pytest.raises(SettingsError, match=r"run.toml: stages.1.phases.0: a phase with blind batches needs one of"):
        check_settings(wrong, "run.toml")


def test_a_wrong_mix_is_named_with_its_place(tmp_path: Path) -> None:
    wrong = table(tmp_path)
    wrong["stages"][1]["phases"][0]["mix"] = {"dancing": 1}
    with pytest.raises(SettingsError, match=r"run.toml: stages.1.phases.0: unknown kind of data 'dancing'"):
        check_settings(wrong, "run.toml")


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.toml")]) == 1
    assert "give the path of a run's TOML file" in capsys.readouterr().err
    (tmp_path / "bad.toml").write_text("base = ")
    assert main([str(tmp_path / "bad.toml")]) == 1
    assert "bad.toml: not TOML" in capsys.readouterr().err
    assert main([str(SMALL), "--only", "nothing"]) == 1
    assert "there is no stage 'nothing': choose from sight" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "required: settings"), ((str(SMALL), "--rehearse", "few"), "argument --rehearse: invalid int value: 'few'")],
)
def test_wrong_options_are_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
