"""`make bench BENCH=tick`: runs the parts one after the other and writes what they found.

Files: `tick.json` (`summary`, `targets_met`, and every part's figures) and `report.html`, both in `settings.out`.
"""

import msgspec

from bench import alerts, economy, failover, knee, overhead
from bench.machine import machine, versions
from bench.progress import say
from bench.report import html
from bench.results import Results
from bench.settings import BenchSettings, Part


async def run(settings: BenchSettings) -> Results:
    """Measure and write; after each part what is there so far is written, so that a failure loses nothing."""
    results = Results(machine(), versions())
    for part in settings.measured:
        say(f"== {part}")
        await _measure(settings, part, results)
        write(settings, results)
    met = results.met()
    for name, value in results.summary().items():
        verdict = {True: "met", False: "MISSED"}[met[name]] if name in met else ""
        say(f"{name:24} {'not measured' if value is None else value} {verdict}")
    say(f"written: {settings.out / 'tick.json'}, {settings.out / 'report.html'}")
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
        case Part.REAL:
            results.real = await economy.measure_real(settings)


def write(settings: BenchSettings, results: Results) -> None:
    """Write both files."""
    settings.out.mkdir(parents=True, exist_ok=True)
    found = {
        "summary": results.summary(),
        "targets_met": results.met(),
        "settings": settings.model_dump(mode="json", exclude={"out", "model_dir", "engine_python"}),
        "results": results,
    }
    encoded = msgspec.json.format(msgspec.json.encode(found), indent=2)
    (settings.out / "tick.json").write_bytes(encoded + b"\n")
    (settings.out / "report.html").write_text(html(results), "utf-8")
