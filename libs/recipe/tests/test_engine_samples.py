"""Tokens, labels and the paper's weights, by value. Needs the engine environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.frame_labels import FRAME_LABELS, label_frames  # noqa: E402
from vigil_recipe.lessons.samples import DATA_KINDS, sample_world, stages_of  # noqa: E402
from vigil_recipe.render.clips import Clip, clip_path, render_clip, save_clip  # noqa: E402
from vigil_recipe.scenarios import all_texts  # noqa: E402
from vigil_recipe.text import prompt_format  # noqa: E402
from vigil_recipe.text.dialogue import ALERT, RESPONSE, SILENCE  # noqa: E402
from vigil_recipe.text.sequences import IGNORED, Exchange, Role, Sequencer, control_role  # noqa: E402
from vigil_recipe.text.tokenizer import SPECIAL, VOCABULARY, as_pretrained, train_tokenizer  # noqa: E402
from vigil_recipe.training.batches import ClipPool, collate, label_rows  # noqa: E402
from vigil_recipe.training.datasets import Interactions, interaction_batch, phase_at  # noqa: E402
from vigil_recipe.training.settings import Phase, Stage  # noqa: E402
from vigil_recipe.world import Kind, Split  # noqa: E402
from vigil_recipe.world import Stage as WorldStage  # noqa: E402

pytestmark = pytest.mark.engine

FIRE = "</response> A fire has started."
TOKENIZER = train_tokenizer(all_texts())


def turn(second: int, reply: str, *lines: str, said: str | None = None) -> Exchange:
    return Exchange(prompt_format.user_text(lines, float(second), [1]), reply, reply if said is None else said)


TURNS = [
    turn(0, SILENCE, "Alert me when a fire starts."),
    turn(1, SILENCE),
    turn(2, FIRE),
    turn(3, FIRE, said=SILENCE),
    turn(4, SILENCE),
]
TEXT = (
    prompt_format.system_block()
    + prompt_format.user_block(["Alert me when a fire starts."], 0.0, [15])
    + prompt_format.reply_block(SILENCE)
    + prompt_format.user_block([], 1.0, [15])
    + prompt_format.reply_block(SILENCE)
    + prompt_format.user_block([], 2.0, [15])
    + prompt_format.reply_block(FIRE)
    + prompt_format.user_block([], 3.0, [15])
    + prompt_format.reply_block(SILENCE)
    + prompt_format.user_block([], 4.0, [15])
    + prompt_format.reply_block(SILENCE)
)


def test_control_tokens_are_single_ids() -> None:
    assert [TOKENIZER.encode(token).ids for token in SPECIAL] == [[index] for index in range(len(SPECIAL))]
    assert VOCABULARY - 100 < TOKENIZER.get_vocab_size() <= VOCABULARY


@pytest.mark.parametrize("marker", ["<0.0 seconds>\n", "<137.0 seconds>\n", "<86400.5 seconds>\n"])
def test_any_time_marker_is_short(marker: str) -> None:
    ids = TOKENIZER.encode(marker).ids
    assert len(ids) <= 5 + sum(character.isdigit() for character in marker)
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == marker


def test_what_stands_in_every_turn_is_short() -> None:
    assert len(TOKENIZER.encode(prompt_format.user_text_block("")).ids) <= 9
    assert len(TOKENIZER.encode(prompt_format.system_block()).ids) <= 12


def test_the_served_tokenizer_agrees() -> None:
    text = (
        prompt_format.system_block()
        + prompt_format.user_block(["Größe? 漢字"], 12.5, [2, 2])
        + prompt_format.reply_block(FIRE)
    )
    served = as_pretrained(train_tokenizer(all_texts()))
    assert served(text, add_special_tokens=False).input_ids == TOKENIZER.encode(text).ids
    assert served.decode(TOKENIZER.encode(text).ids) == text


def test_the_sequence_is_the_tokenised_prompt() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, [15] * 5)
    assert list(made.ids) == TOKENIZER.encode(TEXT).ids


def test_pictures_may_differ_in_size_and_must_be_as_many_as_their_places() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, [1, 2, 3, 4, 5])
    assert made.ids.count(TOKENIZER.token_to_id(prompt_format.IMAGE_PAD)) == 15
    for count in (4, 6):
        with pytest.raises(ValueError, match="more pictures than"):
            Sequencer(TOKENIZER).sequence(TURNS, [1] * count)


def test_labels_are_the_replies_and_roles_are_the_papers() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, [15] * 5)
    learnt = [
        (TOKENIZER.id_to_token(label), role)
        for label, role in zip(made.labels, made.roles, strict=True)
        if label != IGNORED
    ]
    words = [TOKENIZER.id_to_token(id_) for id_ in TOKENIZER.encode(" A fire has started.").ids]
    end = ("<|im_end|>", Role.WORD)
    assert learnt == [
        *((SILENCE, Role.FIRST_SILENCE), end),
        *((SILENCE, Role.REPEATED_SILENCE), end),
        *(("</response>", Role.RESPONSE), *((word, Role.WORD) for word in words), end),
        *((SILENCE, Role.FIRST_SILENCE), end),
    ]


def test_a_delegation_has_a_role_of_its_own_inside_its_response() -> None:
    made = Sequencer(TOKENIZER).sequence([turn(0, "</response> Let me check. </delegation> Why?")], [1])
    assert [role for role in made.roles if role is not Role.WORD] == [Role.RESPONSE, Role.DELEGATION]
    where = made.roles.index(Role.DELEGATION)
    assert TOKENIZER.id_to_token(made.ids[where]) == "</delegation>"


def test_decisions_span_the_replies_of_learnt_turns() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, [15] * 5)
    assert [index for index, _, _ in made.decisions] == [0, 1, 2, 4]
    replies = [
        TOKENIZER.decode(list(made.ids[start:end]), skip_special_tokens=False) for _, start, end in made.decisions
    ]
    assert replies == [f"{reply}<|im_end|>" for reply in (SILENCE, SILENCE, FIRE, SILENCE)]


def test_a_reply_without_control_token_is_refused() -> None:
    with pytest.raises(ValueError, match="a reply starts with"):
        control_role("A fire!", silent_before=False)


def test_padding_is_not_learnt() -> None:
    sequencer = Sequencer(TOKENIZER)
    made = [sequencer.sequence(TURNS, [1] * 5), sequencer.sequence(TURNS[:2], [1] * 2)]
    batch = collate(made, [], label_rows([]))
    short = len(made[1].ids)
    assert batch["ids"].shape == (2, len(made[0].ids))
    assert batch["lengths"].tolist() == [len(made[0].ids), short]
    assert batch["labels"][1, short:].eq(IGNORED).all()


PHASES = (
    Phase(0.5, {"12": 1.0}, {"describing": 1.0}),
    Phase(1.0, {"12": 0.5, "24": 0.5}, {"watching": 0.5, "translation": 0.5}),
)
STAGE = Stage("all", "interaction", steps=4, turn_budget=24, phases=PHASES)


def test_the_curriculum_goes_through_its_phases() -> None:
    assert [phase_at(PHASES, progress) for progress in (0.0, 0.49, 0.5, 1.0)] == [
        PHASES[0],
        PHASES[0],
        PHASES[1],
        PHASES[1],
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clips")
    for stage in (WorldStage.PLAIN, WorldStage.CROSSING, WorldStage.SIGN):
        save_clip(render_clip(0, Split.TRAIN, stage), clip_path(made, Split.TRAIN, 0, stage))
    return made


def test_a_batch_depends_on_its_number_alone(folder: Path) -> None:
    pool = ClipPool(folder, Split.TRAIN)
    all_of_them = list(Interactions(pool, TOKENIZER, STAGE, first=0, total=4, seed=1))
    resumed = list(Interactions(pool, TOKENIZER, STAGE, first=3, total=4, seed=1))
    assert len(resumed) == 1
    assert torch.equal(resumed[0]["ids"], all_of_them[3]["ids"])
    assert all(
        torch.equal(one, other) for one, other in zip(resumed[0]["frames"], all_of_them[3]["frames"], strict=True)
    )
    pads = int((resumed[0]["ids"] == TOKENIZER.token_to_id(prompt_format.IMAGE_PAD)).sum())
    frames = torch.cat(resumed[0]["frames"])
    assert pads == len(frames) * (frames.shape[1] // 32) * (frames.shape[2] // 32)
    assert len(resumed[0]["truth"]) == len(frames)
    other_rank = next(iter(Interactions(pool, TOKENIZER, STAGE, first=3, total=4, seed=1, rank=1)))
    assert not torch.equal(other_rank["ids"], resumed[0]["ids"])


def stage_of(clip: Clip) -> WorldStage:
    assert clip.episode is not None
    return clip.episode.stage


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_every_kind_of_data_becomes_tokens(folder: Path, kind: str) -> None:
    rng = np.random.default_rng(4)
    fitting = [seen.clip for seen in ClipPool(folder, Split.TRAIN) if stage_of(seen.clip) in stages_of(kind)]
    for _ in range(5):
        sample = sample_world(kind, rng, fitting[0], 24)
        made = Sequencer(TOKENIZER).sequence(sample.exchanges, [15] * len(sample.jpegs(fitting[0])))
        text = TOKENIZER.decode([id_ for id_ in made.labels if id_ != IGNORED], skip_special_tokens=False)
        assert text == "".join(
            f"{exchange.reply}<|im_end|>" for exchange in sample.exchanges if exchange.said == exchange.reply
        )


BLIND = Phase(1.0, {"12": 1.0}, {"memory": 0.5, "watching": 0.5}, blind=1.0)


def test_a_blind_batch_is_words_alone_and_twice_as_many(folder: Path) -> None:
    pool, sequencer = ClipPool(folder, Split.TRAIN), Sequencer(TOKENIZER)
    batch = interaction_batch(pool, sequencer, np.random.default_rng(3), BLIND, 48)
    assert batch["frames"] == []
    assert len(batch["truth"]) == 0
    assert not (batch["ids"] == TOKENIZER.token_to_id(prompt_format.IMAGE_PAD)).any()
    assert len(batch["ids"]) == 8
    text = TOKENIZER.decode([id_ for id_ in batch["labels"].flatten().tolist() if id_ != IGNORED])
    assert ALERT[Kind.FIRE] not in text, "watching needs pictures"


def test_a_blind_time_is_one_in_which_nothing_happens(folder: Path) -> None:
    clip = next(iter(ClipPool(folder, Split.TRAIN))).clip
    replies = [
        exchange.reply
        for seed in range(40)
        for exchange in sample_world("delegation", np.random.default_rng(seed), clip, 24, blind=True).exchanges
    ]
    assert f"{RESPONSE} No." in replies
    assert not any(alert in reply for reply in replies for alert in ALERT.values())


@pytest.mark.parametrize("kind", ["counting", "memory", "questions"])
def test_thinning_leaves_out_idle_turns_alone(folder: Path, kind: str) -> None:
    clip = next(seen.clip for seen in ClipPool(folder, Split.TRAIN) if stage_of(seen.clip) in stages_of(kind))
    for seed in range(20):
        whole = sample_world(kind, np.random.default_rng(seed), clip, 48)
        thinned = sample_world(kind, np.random.default_rng(seed), clip, 48, thin=1.0)
        assert thinned.exchanges[0] == whole.exchanges[0], "it may carry the memory"
        left = [exchange for exchange in whole.exchanges if exchange not in thinned.exchanges]
        assert left
        assert all(one.reply == SILENCE for one in left)
        places = [whole.exchanges.index(exchange) for exchange in thinned.exchanges]
        assert places == sorted(places)
        assert [whole.shown[place] for place in places] == list(thinned.shown)
        spoken = [place for place in places if whole.exchanges[place].reply != SILENCE]
        assert all(place - 1 in places for place in spoken if place), "a change shows beside the turn before it"


def test_an_interval_is_never_thinned(folder: Path) -> None:
    clip = next(iter(ClipPool(folder, Split.TRAIN))).clip
    sample = sample_world("timing", np.random.default_rng(1), clip, 48, thin=1.0)
    assert len(sample.exchanges) == 48


def test_sights_are_known_where_they_can_be(folder: Path) -> None:
    for seen in ClipPool(folder, Split.TRAIN):
        known = [bool(np.isfinite(column).all()) for column in label_frames(seen.clip).T]
        episode = seen.clip.episode
        assert episode is not None
        stage = episode.stage
        assert all(known[: len(Kind)])
        assert known[len(Kind)] == (stage is WorldStage.CROSSING)
        assert known[-1] == (stage is WorldStage.SIGN)
        if stage is WorldStage.SIGN:
            turn = next(turn for turn in range(seen.clip.turns) if episode.word(turn))
            assert seen.labels[turn][FRAME_LABELS.index(episode.word(turn))] == 1


def test_a_passer_changes_sides_in_the_second_that_counts(folder: Path) -> None:
    clip = next(seen.clip for seen in ClipPool(folder, Split.TRAIN) if stage_of(seen.clip) is WorldStage.CROSSING)
    sides = label_frames(clip)[:, len(Kind) : len(Kind) + 2]
    assert clip.episode is not None
    for second in clip.episode.crossings[:3]:
        assert sides[second - 1].tolist() == sides[second].tolist()[::-1]
        assert sides[second].sum() == 1


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"run python -m vigil_recipe\.render\.clips first"):
        ClipPool(tmp_path, Split.TRAIN)
    with pytest.raises(FileNotFoundError, match=r"train-000000\.npz is not there"):
        ClipPool(tmp_path, Split.TRAIN, {WorldStage.PLAIN: 1})


def test_frames_beside_a_change_are_found(folder: Path) -> None:
    rng = np.random.default_rng(3)
    for seen in ClipPool(folder, Split.TRAIN):
        truth = seen.clip.truth
        for _ in range(20):
            turn = seen.turn_beside_change(rng)
            around = truth[max(0, turn - 1) : turn + 2]
            assert len(set(around)) > 1 or len(set(truth)) == 1
