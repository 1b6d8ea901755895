"""Tokens, labels and the paper's weights, by value. Needs the engine environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe import layout  # noqa: E402
from vigil_recipe.batches import LENGTHS, STAGES, TURN_BUDGET, ClipPool, Interactions, collate, plan  # noqa: E402
from vigil_recipe.clips import clip_path, render_clip, save_clip  # noqa: E402
from vigil_recipe.dialogue import SILENCE, Turn  # noqa: E402
from vigil_recipe.objective import weighted_loss  # noqa: E402
from vigil_recipe.samples import IGNORED, Sequencer, control_weight  # noqa: E402
from vigil_recipe.tokenizer import SPECIAL, VOCABULARY, as_pretrained, train_tokenizer  # noqa: E402
from vigil_recipe.world import Split  # noqa: E402

pytestmark = pytest.mark.engine

FIRE = "</response> A fire has started."
TOKENIZER = train_tokenizer()


def turn(second: int, reply: str, *lines: str, said: str | None = None) -> Turn:
    return Turn(second, float(second), lines, reply, reply if said is None else said)


TURNS = [
    turn(0, SILENCE, "Alert me when a fire starts."),
    turn(1, SILENCE),
    turn(2, FIRE),
    turn(3, FIRE, said=SILENCE),
    turn(4, SILENCE),
]


def test_control_tokens_are_single_ids() -> None:
    assert [TOKENIZER.encode(token).ids for token in SPECIAL] == [[index] for index in range(len(SPECIAL))]
    assert VOCABULARY - 100 < TOKENIZER.get_vocab_size() <= VOCABULARY


@pytest.mark.parametrize("marker", ["<0.0 seconds>\n", "<137.0 seconds>\n", "<86400.5 seconds>\n"])
def test_any_time_marker_is_short(marker: str) -> None:
    ids = TOKENIZER.encode(marker).ids
    assert len(ids) <= 5 + sum(character.isdigit() for character in marker)
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == marker


def test_the_served_tokenizer_agrees() -> None:
    text = layout.system_block() + layout.user_block(["Größe? 漢字"], 12.5, [2, 2]) + layout.reply_block(FIRE)
    served = as_pretrained(train_tokenizer())
    assert served(text, add_special_tokens=False).input_ids == TOKENIZER.encode(text).ids
    assert served.decode(TOKENIZER.encode(text).ids) == text


def test_the_sequence_is_the_tokenised_prompt() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, 1, 15)
    text = layout.system_block()
    for one in TURNS:
        text += layout.user_block(one.lines, one.marker_s, [15]) + layout.reply_block(one.said)
    assert list(made.ids) == TOKENIZER.encode(text).ids


def test_labels_are_the_replies_and_weights_are_the_papers() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, 1, 15)
    learnt = [
        (TOKENIZER.id_to_token(label), weight)
        for label, weight in zip(made.labels, made.weights, strict=True)
        if label != IGNORED
    ]
    words = [TOKENIZER.id_to_token(id_) for id_ in TOKENIZER.encode(" A fire has started.").ids]
    end = ("<|im_end|>", 1.0)
    assert learnt == [
        *((SILENCE, 1.0), end),
        *((SILENCE, 0.4), end),
        *(("</response>", 1.5), *((word, 1.0) for word in words), end),
        *((SILENCE, 1.0), end),
    ]


def test_decisions_point_at_control_tokens_of_learnt_turns() -> None:
    made = Sequencer(TOKENIZER).sequence(TURNS, 2, 15)
    said = [TOKENIZER.id_to_token(made.ids[position]) for position, _ in made.decisions]
    assert said == [SILENCE, SILENCE, "</response>", SILENCE]
    assert [speaks for _, speaks in made.decisions] == [False, False, True, False]


def test_a_reply_without_control_token_is_refused() -> None:
    with pytest.raises(ValueError, match="a reply starts with"):
        control_weight("A fire!", silent_before=False)


def test_the_loss_divides_by_the_number_of_tokens() -> None:
    logits = torch.zeros(4, 8)
    labels = torch.tensor([1, 2, IGNORED, 3])
    weights = torch.tensor([1.5, 0.4, 9.0, 1.0])
    expected = (1.5 + 0.4 + 1.0) * np.log(8) / 3
    assert float(weighted_loss(logits, labels, weights)) == pytest.approx(expected, rel=1e-6)


def test_padding_is_not_learnt() -> None:
    sequencer = Sequencer(TOKENIZER)
    made = [sequencer.sequence(TURNS, 1, 1), sequencer.sequence(TURNS[:2], 1, 1)]
    batch = collate(made, torch.empty(0), torch.empty(0))
    short = len(made[1].ids)
    assert batch.ids.shape == (2, len(made[0].ids))
    assert batch.mask.sum(1).tolist() == [len(made[0].ids), short]
    assert batch.labels[1, short:].eq(IGNORED).all()


def test_the_curriculum_grows_from_descriptions_to_long_watches() -> None:
    rng = np.random.default_rng(0)
    assert plan(0.0, rng) == (12, 1.0)
    mean = [np.mean([plan(progress, rng)[0] for _ in range(300)]) for progress in (0.2, 0.5, 0.9)]
    assert mean == sorted(mean)
    assert plan(1.0, rng)[1] < 0.2
    assert all(TURN_BUDGET % length == 0 for length in LENGTHS)
    assert all(sum(chances) == pytest.approx(1) for _, chances, _ in STAGES)


def test_a_batch_depends_on_its_number_alone(tmp_path: Path) -> None:
    for seed in range(3):
        save_clip(render_clip(seed, Split.TRAIN), clip_path(tmp_path, Split.TRAIN, seed))
    pool = ClipPool(tmp_path, Split.TRAIN)
    all_of_them = list(Interactions(pool, TOKENIZER, 0, 3, seed=1))
    resumed = list(Interactions(pool, TOKENIZER, 2, 3, seed=1))
    assert len(resumed) == 1
    assert torch.equal(resumed[0].ids, all_of_them[2].ids)
    assert torch.equal(resumed[0].frames, all_of_them[2].frames)
    pads = int((resumed[0].ids == TOKENIZER.token_to_id(layout.IMAGE_PAD)).sum())
    assert pads == sum(frame.shape[0] // 32 * (frame.shape[1] // 32) for frame in resumed[0].frames)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"run python -m vigil_recipe\.clips first"):
        ClipPool(tmp_path, Split.TRAIN)
