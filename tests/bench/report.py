"""The report: one HTML page with the figures, their targets, plots, and what each process costs."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from bench.knee import Knee
from bench.plot import Chart, Line, svg
from bench.results import TARGETS, Results
from bench.statistics import Spread

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 720px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { border: 1px solid #ccc; padding: .2em .6em }
td, th { text-align: right }
td:first-child, th:first-child { text-align: left } svg { max-width: 100%; height: auto }
"""


def html(results: Results) -> str:
    """The page."""
    sections = [
        "<h1>Vigil: the cost of a tick</h1>",
        f"<p>{escape(_machine(results))}</p>",
        _summary(results),
        *(svg(chart) for chart in _charts(results)),
        *_overhead(results),
        *(_knee(one) for one in results.knees),
        *_failover(results),
        *_faults(results),
        *_rolling(results),
        *_soak(results),
        *_memory_of_a_day(results),
        *_remembering(results),
        *_presence(results),
        *_ages(results),
        *_speech(results),
    ]
    body = "\n".join(sections)
    head = f'<meta charset="utf-8"><title>Vigil bench</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en">{head}\n{body}</html>\n'


def _machine(results: Results) -> str:
    one = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return (
        f"{one.cores} cores ({one.processor}), {one.memory_gib} GiB, {one.system}; load before: {one.load_before}. "
        f"Load generator and engine run on the same cores. {versions}."
    )


def _summary(results: Results) -> str:
    met = results.met()
    rows = []
    for name, value in results.summary().items():
        target = TARGETS.get(name)
        limit = f"{'≥' if target.at_least else '≤'} {_number(target.limit)}" if target else ""
        verdict = {True: "met", False: "missed"}.get(met[name], "") if name in met else ""
        rows.append((name, "not measured" if value is None else _number(value), limit, verdict))
    return _table(("figure", "value", "target", ""), rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


def _charts(results: Results) -> list[Chart]:
    charts = [_latency(results.knees)]
    if (overhead := results.overhead) is not None:
        charts.append(Chart("Overhead against turn", "turn", "ms", [_numbered("p50", overhead.overhead_by_turn)]))
        kilobytes = tuple(value / 1000 for value in overhead.bytes_by_turn)
        charts.append(Chart("Bytes to the engine against turn", "turn", "kB", [_numbered("one session", kilobytes)]))
    if (economy := results.economy) is not None:
        charts.append(
            Chart("Prefix share against turn", "turn", "share", [_numbered("one session", economy.share_by_turn)])
        )
    return charts


def _latency(knees: Sequence[Knee]) -> Chart:
    lines = [
        Line(
            f"{name}, {knee.interaction_workers} interaction",
            [(one.sessions, getattr(one.tick, name)) for one in knee.steps],
        )
        for knee in knees
        for name in ("p50", "p95")
    ]
    return Chart("Tick against sessions at 1 fps", "sessions", "ms", lines, limit=100)


def _numbered(name: str, values: Sequence[float]) -> Line:
    return Line(name, [(float(number), value) for number, value in enumerate(values, start=1)])


def _overhead(results: Results) -> list[str]:
    one = results.overhead
    if one is None:
        return []
    spreads = {"overhead": one.overhead, "with the engine": one.with_engine, "from the camera": one.tick}
    rows = [(name, *(f"{value:.2f}" for value in (s.p50, s.p95, s.p99, s.max))) for name, s in spreads.items()]
    flat = "flat within two standard errors" if one.slope.is_flat else "not flat"
    return [
        f"<h2>{one.sessions} sessions, {one.ticks} ticks</h2>",
        _table(("ms", "p50", "p95", "p99", "max"), rows),
        f"<p>Over 100 turns the overhead changes by {one.slope.per_100:+.3f} ± {one.slope.error:.3f} ms: {flat}.</p>",
        _table(("processor time", "ms a tick"), [(name, f"{ms:.2f}") for name, ms in one.cpu_ms_per_tick.items()]),
        _memory(one.memory_mib),
    ]


def _knee(knee: Knee) -> str:
    rows = [
        (
            str(one.sessions),
            str(one.attempts),
            *(f"{value:.1f}" for value in (one.tick.p50, one.tick.p95, one.tick.p99)),
            f"{one.decided_share:.1%}",
            f"{one.others_cores:.2f}",
            ", ".join(f"{name} {ms:.1f}" for name, ms in one.cpu_ms_per_tick.items()),
        )
        for one in knee.steps
    ]
    head = (
        "sessions",
        "attempts",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "decided",
        "cores used by others",
        "processor ms a tick",
    )
    title = f"<h2>The knee with {knee.interaction_workers} interaction: {knee.sustained} sessions</h2>"
    return title + _table(head, rows) + _memory(knee.memory_mib)


def _failover(results: Results) -> list[str]:
    one = results.failover
    if one is None:
        return []
    rows = [
        (f"{h.how} of {h.service}", f"{h.takeover_s:.2f}", f"{h.longest_gap_s:.2f}", str(h.missed_turns))
        for h in one.handovers
    ]
    intact = "gapless and unique" if one.sequences_intact else "NOT gapless and unique"
    return [
        "<h2>Workers that end</h2>",
        _table(("what happened", "all tick again, s", "longest gap, s", "turns missed"), rows),
        f"<p>{one.decisions:,} decisions stored; their sequences are {intact}.</p>",
    ]


def _faults(results: Results) -> list[str]:
    one = results.faults
    if one is None:
        return []
    rows = [
        (r.fault, f"{r.lasted_s:.1f}", f"{r.recovery_s:.2f}", f"{r.missed_turns / max(1, r.sessions):.1f}")
        for r in one.recoveries
    ]
    found = one.integrity
    intact = "; ".join(found.faults) or "sequences are gapless and unique, histories whole, alerts as decided"
    return [
        "<h2>Faults of what is underneath</h2>",
        _table(("what happened", "for, s", "all well again after, s", "seconds without a turn, a session"), rows),
        f"<p>{found.decisions:,} decisions and {found.alerts:,} alert events stored: {escape(intact)}.</p>",
    ]


def _rolling(results: Results) -> list[str]:
    found = results.rolling
    if found is None:
        return []
    rows = [
        (restart.process, f"{restart.restart_s:.1f}", str(restart.missed_turns), f"{restart.longest_gap_s:.2f}")
        for restart in found.restarts
    ]
    return [
        f"<h2>A rolling restart under {found.sessions} sessions</h2>",
        _table(("restarted", "for, s", "seconds missed", "longest gap, s"), rows),
        f"<p>{found.pushes:,} pushed pictures answered, {found.unanswered} not, {found.repeats} sent again; live "
        f"events {'each heard once' if found.listeners_intact else 'NOT each heard once'} over {found.connections} "
        f"connections; {escape('; '.join(found.integrity.faults) or 'sequences gapless, histories whole')}.</p>",
    ]


def _soak(results: Results) -> list[str]:
    one = results.soak
    if one is None:
        return []
    rows = [
        (name, *_tenths(m.median, m.least, m.most), f"{m.spread_share:.1%}", f"{m.drift_share:+.1%}")
        for name, m in one.memory_mib.items()
    ]
    charts = [
        svg(Chart(f"Resident memory of {name}", "sample", "MiB", [_numbered(name, values)]))
        for name, values in one.rss_mib.items()
    ]
    head = ("after the warm-up, MiB", "median", "least", "most", "off the median at most", "first to last fifth")
    return [
        "<h2>Soak</h2>",
        f"<p>{one.sessions} sessions of {one.fewest_turns:,} turns or more each, faster than the clock "
        f"({one.elapsed_s:,.0f} s), and {one.live_sessions} files of {one.live_turns:,} turns: {one.decisions:,} "
        f"decisions, {one.breaks} out of sequence, {one.webhooks:,} alerts delivered.</p>",
        _table(head, rows),
        *charts,
    ]


def _memory_of_a_day(results: Results) -> list[str]:
    found = results.memory
    if found is None:
        return []
    tiers = {"mid term": "mid_tokens", "long term": "long_tokens"}
    lines = [
        Line(name, [(float(number), float(getattr(hour, tier))) for number, hour in enumerate(found.hours, start=1)])
        for name, tier in tiers.items()
    ]
    rows = [(age, f"{share:.3f}") for age, share in found.recall.items()]
    return [
        "<h2>Memory</h2>",
        f"<p>{found.turns:,} turns in {found.chunks:,} chunks; {found.requests:,} blocks asked for, of which "
        f"{found.failed:,} failed. In the core a turn takes {found.turn_p50_ms:.2f} ms, the first of a chunk "
        f"{found.boundary_p50_ms:.2f} ms.</p>",
        svg(Chart("Tokens of each tier", "hour", "tokens", lines)),
        _table(("age of the fact", "share of prompts that hold it"), rows),
    ]


def _remembering(results: Results) -> list[str]:
    found = results.remembering
    if found is None:
        return []
    ticks = ("tick p50", "p95", "first of a chunk p50", "ratio", "max")
    head = ("who writes", *ticks, "cached", "delayed", "blocks", "writing, s an hour of video")
    lines = [
        Line(case.writer, [(float(offset), tick_ms) for offset, tick_ms in case.around_ms]) for case in found.cases
    ]
    rows = [
        (
            case.writer,
            *_tenths(case.tick_p50_ms, case.tick_p95_ms, case.boundary_p50_ms),
            f"{case.boundary_ratio:.2f}",
            f"{case.boundary_max_ms:.1f}",
            f"{case.cached_share:.1%}",
            f"{case.delayed} of {case.ticks}",
            str(case.blocks),
            f"{case.writing_s_per_hour:.0f}",
        )
        for case in found.cases
    ]
    return [
        "<h2>Memory beside the real engine</h2>",
        f"<p>{found.sessions} sessions at one picture a second in chunks of {found.chunk_turns} turns, "
        f"{found.seconds:g} s for each writer; times in ms.</p>",
        _table(head, rows),
        svg(Chart("Median tick around the first of a chunk", "turns after it", "ms", lines)),
    ]


def _presence(results: Results) -> list[str]:
    found = results.presence
    if found is None:
        return []
    ticks = {"all": found.ticks, "beside a block": found.writing, "first of a chunk": found.firsts}
    rows = [(name, str(one.count), *_tenths(one.p50, one.p95, one.p99, one.max)) for name, one in ticks.items() if one]
    minutes = [(boundary.time_ms / 60_000, boundary) for boundary in found.boundaries]
    prompts = [(minute, float(boundary.prompt_tokens)) for minute, boundary in minutes]
    memory = [(minute, float(boundary.memory_tokens)) for minute, boundary in minutes]
    stored = [(minute, boundary.redis_bytes / 1_000) for minute, boundary in minutes]
    steady = [
        (name, f"{one.median:.1f}", f"{one.spread_share:.1%}", f"{one.drift_share:+.1%}")
        for name, one in found.memory_mib.items()
    ]
    return [
        "<h2>Two hours of presence</h2>",
        f"<p>{found.decided:,} turns in {found.elapsed_s:,.0f} s, {found.coverage_hours:.2f} hours remembered with "
        f"{found.gaps} gaps. {found.prompt_tokens_max:,} of {found.budget_tokens:,} tokens at most, "
        f"{found.over_budget} turns over. {found.ready} blocks written, {found.failed} given up; {found.delayed} ticks "
        f"took longer than their second, {found.delayed_by_memory} of them beside a block. Of first prompts of "
        f"chunks {found.firsts_cached:.1%} were cached.</p>",
        _table(("ticks, ms", "count", "p50", "p95", "p99", "max"), rows),
        svg(Chart("Tokens at boundaries", "minute", "tokens", [Line("prompt", prompts), Line("memory", memory)])),
        svg(Chart("Redis at boundaries", "minute", "kB", [Line("keys of the session", stored)])),
        _table(("resident memory, MiB", "median", "at most off", "first fifth to last"), steady),
    ]


def _ages(results: Results) -> list[str]:
    found = results.ages
    if found is None:
        return []
    rows = [
        (
            f"{tally.author}, {tally.mode}",
            tally.age,
            str(tally.asked),
            *(f"{count / tally.asked:.2f}" for count in (tally.held, tally.right, tally.near, tally.unknown)),
        )
        for tally in (*found.tallies, *found.exam)
    ]
    blocks = ", ".join(
        f"{author} {count}, {found.given_up[author]} of them given up" for author, count in found.blocks.items()
    )
    return [
        "<h2>Answers by the age of what is asked about</h2>",
        f"<p>{found.films} films, each with two things that happened. Blocks by author: {blocks}.</p>",
        _table(
            ("blocks by, asked with", "age", "questions", "prompt holds it", "right", "within 5 s", "unknown"), rows
        ),
    ]


def _speech(results: Results) -> list[str]:
    found = results.speech
    if found is None:
        return []
    talk = found.dialogue
    sets = [
        (
            name,
            str(one.sentences),
            f"{one.word_error_rate:.3f}",
            ", ".join(f"{voice} {rate:.3f}" for voice, rate in one.by_voice.items()),
            str(one.unheard),
            *_hundredths(one.first_partial_s, one.final_s),
        )
        for name, one in found.recognition.sets.items()
    ]
    waits = {
        "words to their first sound": talk.first_audio_s,
        "first sound of the user to the silence of the voice": talk.barge_in_s,
        "the same, of a player that plays all that it was sent": talk.played_out_s,
        "last sound of the user to the first of the answer": talk.answer_s,
    }
    quiet = [
        (
            one.sound,
            one.turn_taking,
            f"{one.seconds:g}",
            str(one.invented),
            str(one.voices),
            str(one.false_starts),
            ", ".join(f"{count} {became}" for became, count in one.became.items()),
        )
        for one in found.quiet
    ]
    steps = [
        (
            str(step.sessions),
            *_hundredths(step.final_s),
            f"{step.late} of {step.sentences}",
            f"{step.cores:.2f}",
        )
        for step in found.steps
    ]
    heads = (
        "sentences",
        "word error rate",
        "by voice",
        "unheard",
        "first partial p50, s",
        "p95",
        "final p50, s",
        "p95",
    )
    slips = [(name, *slip) for name, one in found.recognition.sets.items() for slip in one.slips]
    return [
        "<h2>Speech</h2>",
        f"<p>Sentences by {escape(', '.join(found.voices))}, played in real time. A second of sound takes asr and "
        f"its engine {found.recognition.asr_factor:.3f} s of the processor, tts and its {talk.tts_factor:.3f} s.</p>",
        _table(("", *heads), sets),
        _table(("s", "p50", "p95"), [(name, *_hundredths(wait)) for name, wait in waits.items()]),
        f"<p>Of {talk.exchanges} questions {talk.unanswered} were not answered aloud, and {talk.uninterrupted} did not "
        f"interrupt.</p>",
        _table(("sound", "turns", "s", "questions", "voices", "false starts", "remarks became"), quiet),
        f"<h3>Listening at once: {found.sustained} sessions</h3>",
        _table(("sessions", "final p50, s", "p95", "late", "cores of asr"), steps),
        _table(("not understood word for word", "voice", "said", "understood"), slips),
        _memory(found.memory_mib),
    ]


def _hundredths(*spreads: Spread | None) -> tuple[str, ...]:
    return tuple(
        cell for one in spreads for cell in (("-", "-") if one is None else (f"{one.p50:.2f}", f"{one.p95:.2f}"))
    )


def _tenths(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:.1f}" for value in values)


def _memory(memory: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [(name, *(f"{one[key]:.0f}" for key in ("first", "last", "max"))) for name, one in memory.items()]
    return _table(("resident memory, MiB", "first", "last", "max"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
