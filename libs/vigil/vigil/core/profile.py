"""Prompt profiles: the bytes, pictures and control words that one family of weights knows.

`joyai` follows the released 8B interaction model, `vigil-small` the model that this repository trains, and
`harness` serves any instruction-tuned vision-language model that was never trained to decide when to speak.
"""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum

from vigil.core import control
from vigil.core.errors import UnknownProfile
from vigil.core.session import ResponseMode


class QueryLayout(StrEnum):
    """How a new query stands in a user turn."""

    HEADER = "header"  # its own text part under a bracketed header (the released runtime)
    PLAIN = "plain"  # a bare line before the time marker (the published data converter)


class World(StrEnum):
    """What the weights of a profile have learned to see."""

    ANY = "any"  # photographs and videos of anything
    RENDERED = "rendered"  # the procedural scenes of `libs/recipe` and nothing else


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words that open each action. Control tokens for trained weights, plain words for the others."""

    silence: str = control.SILENCE
    response: str = control.RESPONSE
    delegation: str = control.DELEGATION

    def read(self, raw: str) -> control.Output:
        """Read a model's text that uses these words."""
        if self == CONTROL_SPELLING:
            return control.parse(raw)
        # Plain words also occur in speech: silence must open the text, the others count where they come first.
        text = re.sub(rf"\A\s*{re.escape(self.silence)}(?!\w)", control.SILENCE, control.visible(raw))
        for word, marker in ((self.response, control.RESPONSE), (self.delegation, control.DELEGATION)):
            text = re.sub(rf"(?<!\w){re.escape(word)}", marker, text, count=1)
        return control.parse(text)

    def write(self, reply: str) -> str:
        """A reply of the history, written with these words."""
        if self != CONTROL_SPELLING:
            for word, marker in zip(self.words, control.CONTROL_TOKENS, strict=True):
                reply = reply.replace(marker, word)
        return reply

    @property
    def words(self) -> tuple[str, str, str]:
        """Silence, response, delegation."""
        return (self.silence, self.response, self.delegation)


CONTROL_SPELLING = Spelling()


@dataclass(frozen=True, slots=True)
class PromptProfile:
    """One model family's layout. Pixels are counted after scaling; `pixel_multiple` is patch size times merge. `world`
    says what its weights are for: on anything else what they say means nothing."""

    name: str
    system: str
    query_layout: QueryLayout
    max_pixels: int
    jpeg_quality: int
    max_tokens: int
    pixel_multiple: int = 32
    spelling: Spelling = field(default_factory=Spelling)
    grammar: str = ""  # a regular expression that the engine holds the output to; empty for trained weights
    words_grammar: str = ""  # the same for the words after the response word
    result: str = "{question} {text}"  # a delegated question and what was found, as one line of a user turn
    world: World = World.ANY
    mode_bias: float = 2.0  # added to the response word's logit when talkative, taken away when reserved

    def bias(self, mode: ResponseMode) -> float:
        """The logit bias on the response word in this response mode."""
        return {ResponseMode.TALKATIVE: self.mode_bias, ResponseMode.RESERVED: -self.mode_bias}.get(mode, 0.0)

    def result_line(self, question: str, text: str) -> str:
        """How the result of a delegated question is told."""
        return self.result.format(question=control.plain(question), text=control.plain(text))

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size in pixels at which this profile wants a picture of `width` by `height`."""
        return fit_size(width, height, self.max_pixels, self.pixel_multiple)

    def visual_tokens(self, width: int, height: int) -> int:
        """Tokens that the vision encoder spends on a fitted picture."""
        return (width // self.pixel_multiple) * (height // self.pixel_multiple)


def fit_size(width: int, height: int, max_pixels: int, multiple: int) -> tuple[int, int]:
    """Scale down to at most `max_pixels`, aspect kept, both sides a multiple of `multiple`.

    This is the size that a Qwen-VL processor would choose itself (its `smart_resize`), so the engine never scales
    a picture again. Nothing is scaled up beyond the nearest multiple.
    """
    if width <= 0 or height <= 0:
        raise ValueError(f"a picture of {width} x {height} pixels has no size")
    fitted = [max(multiple, round(side / multiple) * multiple) for side in (width, height)]
    if fitted[0] * fitted[1] > max_pixels:
        shrink = max(1.0, math.sqrt(width * height / max_pixels))  # below 1 where rounding alone went over the budget
        fitted = [max(multiple, int(side / shrink // multiple) * multiple) for side in (width, height)]
    while fitted[0] * fitted[1] > max_pixels and max(fitted) > multiple:  # extreme aspect: one side hit its floor
        longest = fitted.index(max(fitted))
        fitted[longest] -= multiple
    return fitted[0], fitted[1]


JOYAI = PromptProfile(
    name="joyai",
    system=(
        "You are a real-time assistant that watches a camera frame by frame; the last frame is now. At every step "
        "choose exactly one action. Stay silent with </silence> while nothing is noteworthy, no question is open "
        "and there is nothing useful to say. Speak with </response> followed by your words when something is worth "
        "reporting, changes significantly, or a question can be answered from what you see. When a question is too "
        "hard or error-prone to answer at once, hand it over: </response>, a brief note to the user, </delegation>, "
        "then the question in full."
    ),
    query_layout=QueryLayout.HEADER,
    max_pixels=262_144,
    jpeg_quality=85,
    max_tokens=256,
)

VIGIL_SMALL = PromptProfile(
    name="vigil-small",
    system="You watch a camera.",
    query_layout=QueryLayout.PLAIN,
    max_pixels=16_384,
    jpeg_quality=90,
    max_tokens=48,
    result="Result: {question} {text}",
    world=World.RENDERED,
)

HARNESS_WORDS = r" [^\s<][^\n<]{0,299}"
HARNESS = PromptProfile(
    name="harness",
    system=(
        "You watch a live camera, one picture a second; the last picture is now. Reply with exactly one line in one "
        "of three forms. `QUIET` while nothing asked for is happening and no question is open. `SPEAK: ` and one "
        "short sentence when what the user asked for is happening now or a question can be answered from the "
        "pictures. `SPEAK: ` a short note, then ` DELEGATE: ` and a full question when answering needs slow thought "
        "or knowledge that the pictures do not show. Most lines are `QUIET`. Never guess."
    ),
    query_layout=QueryLayout.HEADER,
    max_pixels=262_144,
    jpeg_quality=85,
    max_tokens=128,
    spelling=Spelling("QUIET", "SPEAK:", "DELEGATE:"),
    grammar=rf"QUIET|SPEAK:{HARNESS_WORDS}( DELEGATE: [^\s<][^\n<]{{0,299}})?",
    words_grammar=HARNESS_WORDS,
)

PROFILES = {profile.name: profile for profile in (JOYAI, VIGIL_SMALL, HARNESS)}


def profile(name: str) -> PromptProfile:
    """The profile of that name, or `UnknownProfile`."""
    try:
        return PROFILES[name]
    except KeyError:
        raise UnknownProfile(f"no prompt profile {name[:80]!r}: choose one of {', '.join(PROFILES)}") from None
