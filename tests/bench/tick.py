"""`make bench`: runs the parts one after the other and writes what they found.

Files in `settings.out`: `tick.json` (`summary`, `targets_met`, and every part's figures) and `report.html`. A benchmark
of its own, as `make bench BENCH=faults`, writes `faults.json` and `faults.html` instead.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from bench import (
    ages,
    alerts,
    brain,
    camera,
    durability,
    economy,
    failover,
    faults,
    knee,
    memory,
    modules,
    overhead,
    presence,
    remembering,
    rolling,
    soak,
    tracing,
    webrtc,
)
from bench.machine import machine, versions
from bench.progress import say
from bench.report import html
from bench.results import Results
from bench.settings import BenchSettings, EngineKind, Part
from bench.speech import measure as speech

TICK = "tick"
BENCHES: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        TICK: (),
        "faults": (Part.FAILOVER, Part.FAULTS),
        "soak": (Part.SOAK,),
        "camera": (Part.CAMERA,),
        "rolling": (Part.ROLLING,),
        "durability": (Part.DURABILITY,),
        "tracing": (Part.TRACING,),
        "webrtc": (Part.WEBRTC,),
        "brain": (Part.BRAIN,),
        "memory": (Part.MEMORY,),
        "memory-real": (Part.REMEMBERING,),
        "presence": (Part.PRESENCE,),
        "ages": (Part.AGES,),
        "speech": (Part.SPEECH,),
        "modules": (Part.MODULES,),
    }
)


async def run(settings: BenchSettings, name: str = TICK) -> Results:
    """Measure and write; after each part what is there so far is written, so that a failure loses nothing.

    The benchmark `tick` has the parts that the settings name, the others have their own.
    """
    results = Results(machine(), versions())
    for part in BENCHES[name] or settings.measured:
        say(f"== {part}")
        await _measure(settings, part, results)
        write(settings, results, name)
    met = results.met()
    for figure, value in results.summary().items():
        verdict = {True: "met", False: "MISSED"}[met[figure]] if figure in met else ""
        if value is not None or name == TICK:
            say(f"{figure:24} {'not measured' if value is None else value} {verdict}")
    say(f"written: {', '.join(str(path) for path in paths(settings, name))}")
    return results


async def _measure(settings: BenchSettings, part: Part, results: Results) -> None:
    match part:
        case Part.OVERHEAD:
            results.overhead = await overhead.measure(settings)
        case Part.ECONOMY:
            results.economy = await economy.measure(settings)
        case Part.KNEE:
            for workers in settings.interaction_workers:
                results.knees.append(await knee.measure(settings, workers))
        case Part.FAILOVER:
            results.failover = await failover.measure(settings)
        case Part.ALERTS:
            results.alerts = await alerts.measure(settings)
        case Part.FAULTS:
            results.faults = await faults.measure(settings)
        case Part.SOAK:
            results.soak = await soak.measure(settings)
        case Part.CAMERA:
            results.camera = await camera.measure(settings)
        case Part.ROLLING:
            results.rolling = await rolling.measure(settings)
        case Part.DURABILITY:
            results.durability = await durability.measure(settings)
        case Part.TRACING:
            results.tracing = await tracing.measure(settings)
        case Part.WEBRTC:
            results.webrtc = await webrtc.measure(settings)
        case Part.BRAIN:
            results.brains = await brain.measure(settings)
        case Part.MEMORY:
            results.memory = await memory.measure(settings)
        case Part.REMEMBERING:
            results.remembering = await remembering.measure(settings)
        case Part.PRESENCE:
            results.presence = await presence.measure(settings)
        case Part.AGES:
            results.ages = await ages.measure(settings)
        case Part.SPEECH:
            results.speech = await speech.measure(settings)
        case Part.MODULES:
            results.modules = await modules.measure(settings)
        case Part.REAL:
            results.real = await economy.measure_real(settings)
        case Part.SUMMARISED:
            results.summarised = await economy.measure_summarised(settings)


def named(settings: BenchSettings, name: str) -> str:
    """The benchmark that is meant: with the real engine, `memory` is the one that measures ticks beside it."""
    real = f"{name}-real"
    return real if settings.engine is EngineKind.REAL and real in BENCHES else name


def paths(settings: BenchSettings, name: str) -> tuple[Path, Path]:
    """Where the figures and the report of a benchmark go."""
    return settings.out / f"{name}.json", settings.out / ("report.html" if name == TICK else f"{name}.html")


def write(settings: BenchSettings, results: Results, name: str = TICK) -> None:
    """Write both files."""
    figures, report = paths(settings, name)
    settings.out.mkdir(parents=True, exist_ok=True)
    found = {
        "summary": results.summary(),
        "targets_met": results.met(),
        "settings": settings.model_dump(mode="json", exclude={"out", "model_dir", "engine_python"}),
        "results": results,
    }
    encoded = msgspec.json.format(msgspec.json.encode(found), indent=2)
    figures.write_bytes(encoded + b"\n")
    report.write_text(html(results), "utf-8")
