"""Options of a session and of a watch on the command line: each is named after the gateway's, with '-' for '_'.

Their bounds are the gateway's to check: its refusal names them. A test compares them with the gateway's `openapi.json`.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from vigil_client.options import (
    DUPLICATE_GUARDS,
    RESPONSE_MODES,
    SEVERITIES,
    TURN_TAKINGS,
    Cadence,
    Hearing,
    Memory,
    Modules,
    NewWatch,
    Speech,
    Voice,
    Window,
)

CADENCE, WINDOW, SPEECH, MEMORY, WATCH = Cadence(), Window(), Speech(), Memory(), NewWatch("")
HEARING, VOICE, MODULES = Hearing(), Voice(), Modules()


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """A parser that takes one of `choices`. It raises `typer.BadParameter`."""

    def choice(text: str) -> str:
        if text not in choices:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(choices)}")
        return text

    return choice


# Of a watch: they hold for every --alert.
SeverityOf = Annotated[
    str, typer.Option("--severity", parser=one_of(SEVERITIES), metavar="|".join(SEVERITIES), help="How urgent it is.")
]
HoldS = Annotated[float, typer.Option("--hold", help="Quiet seconds after which an alert closes.")]
CooldownS = Annotated[float, typer.Option("--cooldown", help="Words so soon after it closed continue it.")]
UpdateIntervalS = Annotated[
    float, typer.Option("--update-interval", help="Least seconds between updates with unchanged words.")
]
ConfirmS = Annotated[
    float,
    typer.Option("--confirm", help="Seconds of going on speaking before an alert opens; 1 suits vigil-small."),
]

# Of a session.
Instructions = Annotated[
    list[str] | None,
    typer.Option("--instruction", help="What to keep in mind, without alerts; may be given several times."),
]
Profile = Annotated[str | None, typer.Option("--profile", help="Prompt profile; default: the gateway's.")]
Model = Annotated[str | None, typer.Option("--model", help="Model, of those that an engine serves; default: its own.")]
_INTERVAL = typer.Option("--interval-ms", help="Milliseconds of capture time between turns.")
_FRAMES = typer.Option("--frames-per-turn", help="Frames shown to the model in each turn.")
_MODE = typer.Option(
    "--response-mode",
    parser=one_of(RESPONSE_MODES),
    metavar="|".join(RESPONSE_MODES),
    help="How readily the model speaks.",
)
_GUARD = typer.Option(
    "--duplicate-guard",
    parser=one_of(DUPLICATE_GUARDS),
    metavar="|".join(DUPLICATE_GUARDS),
    help="Which repeats within ten seconds are not uttered: none, the same words, or the same meaning too.",
)
_TEMPERATURE = typer.Option(
    "--text-temperature", help="Above 0 its words vary; whether it speaks is never left to chance."
)
_IDLE = typer.Option(
    "--infer-when-idle/--no-infer-when-idle", help="Whether to ask the model also while nothing stands."
)
_MODULES = typer.Option("--modules/--no-modules", help="Whether the model is told what modules noticed.")
_MODULE = typer.Option(
    "--module", metavar="NAME", help="A module that it hears; may be given several times. Default, and of '': all."
)
_BRAIN = typer.Option("--brain", help="Brain that answers delegated questions; default: the tenant's.")
IntervalMs = Annotated[int, _INTERVAL]
FramesPerTurn = Annotated[int, _FRAMES]
ChunkTurns = Annotated[int, typer.Option("--chunk-turns", help="Turns that a prompt holds before it starts afresh.")]
TailTurns = Annotated[
    int,
    typer.Option("--tail-turns", help="Last turns that the next prompt begins with; 9 is cut to --chunk-turns less 1."),
]
ResponseMode = Annotated[str, _MODE]
DuplicateGuard = Annotated[str, _GUARD]
TextTemperature = Annotated[float, _TEMPERATURE]
InferWhenIdle = Annotated[bool, _IDLE]
MemoryOn = Annotated[bool, typer.Option("--memory/--no-memory", help="Whether it remembers what has left the prompt.")]
MidBlocks = Annotated[int, typer.Option("--mid-blocks", help="Summaries that are kept before the oldest are merged.")]
LongBlocks = Annotated[int, typer.Option("--long-blocks", help="Merged blocks that are kept at most.")]
BlockTokens = Annotated[int, typer.Option("--block-tokens", help="Tokens of a summary or a merged block at most.")]
LongTokens = Annotated[int, typer.Option("--long-tokens", help="Tokens of all merged blocks at most.")]
KeyFrames = Annotated[
    int, typer.Option("--key-frames", help="Pictures that stand for a span while its summary is late.")
]
TimeZone = Annotated[
    str,
    typer.Option(
        "--time-zone",
        metavar="NAME",
        help="Where questions about the past name times of day, such as Europe/Berlin; default: as the operator says.",
    ),
]
_HEARING = typer.Option("--hearing/--no-hearing", help="Whether it is spoken to: it takes asr workers.")
HearingOn = Annotated[bool, _HEARING]
FromSource = Annotated[
    bool,
    typer.Option("--hear-source/--no-hear-source", help="Whether it hears the sound of the source; with --hearing."),
]
_TURN_TAKING = typer.Option(
    "--turn-taking",
    parser=one_of(TURN_TAKINGS),
    metavar="|".join(TURN_TAKINGS),
    help="What becomes a question: all that was said, what follows the wake phrase, what a held button marks.",
)
_WAKE_PHRASE = typer.Option("--wake-phrase", help="Words that a question begins with.")
_HEARING_LANGUAGE = typer.Option("--hearing-language", help="Language that is spoken to it, such as en.")
_VOICE = typer.Option("--voice/--no-voice", help="Whether it speaks aloud: it takes tts workers.")
_VOICE_NAME = typer.Option("--voice-name", help="Name of the voice; default: the usual one.")
_SPEED = typer.Option("--voice-speed", help="How fast it speaks; 1 is the voice's own pace.")
_VOICE_LANGUAGE = typer.Option("--voice-language", help="Language that it speaks; default: the voice's.")
TurnTaking = Annotated[str, _TURN_TAKING]
WakePhrase = Annotated[str, _WAKE_PHRASE]
HearingLanguage = Annotated[str, _HEARING_LANGUAGE]
VoiceOn = Annotated[bool, _VOICE]
VoiceName = Annotated[str, _VOICE_NAME]
Speed = Annotated[float, _SPEED]
VoiceLanguage = Annotated[str, _VOICE_LANGUAGE]
ModulesOn = Annotated[bool, _MODULES]
ModuleNames = Annotated[list[str] | None, _MODULE]
Brain = Annotated[str, _BRAIN]

# Of a change: what is not given stays as it is.
NewIntervalMs = Annotated[int | None, _INTERVAL]
NewFramesPerTurn = Annotated[int | None, _FRAMES]
NewResponseMode = Annotated[str | None, _MODE]
NewDuplicateGuard = Annotated[str | None, _GUARD]
NewTextTemperature = Annotated[float | None, _TEMPERATURE]
NewInferWhenIdle = Annotated[bool | None, _IDLE]
NewModulesOn = Annotated[bool | None, _MODULES]
NewBrain = Annotated[str | None, _BRAIN]
NewHearingOn = Annotated[bool | None, _HEARING]
NewTurnTaking = Annotated[str | None, _TURN_TAKING]
NewWakePhrase = Annotated[str | None, _WAKE_PHRASE]
NewHearingLanguage = Annotated[str | None, _HEARING_LANGUAGE]
NewVoiceOn = Annotated[bool | None, _VOICE]
NewVoiceName = Annotated[str | None, _VOICE_NAME]
NewSpeed = Annotated[float | None, _SPEED]
NewVoiceLanguage = Annotated[str | None, _VOICE_LANGUAGE]


def modules_named(names: Sequence[str]) -> tuple[str, ...]:
    """The modules that were named; none, which stands for all, where an empty name is among them."""
    return () if "" in names else tuple(names)
