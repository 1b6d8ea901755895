"""Sessions: how fast and how well turns are decided. One session's own turns are found by its traces."""

from reference.dashboards.grafana import Dashboard, Panel, Query, TracePanel, Unit, quantiles, rate
from vigil.contract import spans

SESSION = Dashboard(
    uid="vigil-session",
    title="Vigil: session",
    answers="How late are decisions, what is decided, and what is left out?",
    asks=(("session", "Session"),),
    panels=(
        Panel(
            "Stalled",
            "Sessions that decide nothing",
            Unit.COUNT,
            (Query("sum(vigil_sessions_stalled) or vector(0)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Without a worker",
            "Sessions that no interaction worker holds",
            Unit.COUNT,
            (Query("max(vigil_gateway_sessions_unheld)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Late turns",
            "Share of the last turns that were late or never came, at the worst worker",
            Unit.SHARE,
            (Query("max(vigil_late_share)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Capture to decision",
            "95 of 100 turns are decided within",
            Unit.SECONDS,
            quantiles("vigil_capture_to_decision_seconds", 0.95),
            stat=True,
            width=6,
        ),
        Panel(
            "From capture to decision",
            "What a person in front of the camera waits for",
            Unit.SECONDS,
            quantiles("vigil_capture_to_decision_seconds", 0.5, 0.95, 0.99),
        ),
        Panel(
            "Tick",
            "From the frame at the interaction worker to its decision",
            Unit.SECONDS,
            quantiles("vigil_tick_seconds", 0.5, 0.95, 0.99),
        ),
        Panel(
            "Where the time goes",
            "95th percentile of each stage",
            Unit.SECONDS,
            (
                *quantiles("vigil_ingestion_publish_seconds", 0.95, name="capture to publish"),
                *quantiles("vigil_codec_group_seconds", 0.95, name="codec"),
                *quantiles("vigil_tick_overhead_seconds", 0.95, name="tick without engine"),
                *quantiles("vigil_engine_request_seconds", 0.95, name="engine"),
                *quantiles("vigil_store_commit_seconds", 0.95, name="commit"),
            ),
        ),
        Panel("Decisions", "Turns by action", Unit.PER_SECOND, (rate("vigil_ticks_total", "action"),)),
        Panel("Alerts", "Alert events by state", Unit.PER_SECOND, (rate("vigil_alerts_total", "state"),)),
        Panel(
            "Turns that left no trace",
            "Dropped turns, by reason",
            Unit.PER_SECOND,
            (rate("vigil_ticks_failed_total", "reason", may_be_none=True),),
        ),
        Panel(
            "Pictures left out",
            "By ingestion, codec and interaction, by reason",
            Unit.PER_SECOND,
            (
                rate("vigil_ingestion_frames_dropped_total", "reason", may_be_none=True),
                rate("vigil_codec_groups_dropped_total", "reason", may_be_none=True),
                rate("vigil_frames_skipped_total", "reason", may_be_none=True),
            ),
        ),
        Panel(
            "Longer than the cadence",
            "Ticks that took longer than the session's cadence",
            Unit.PER_SECOND,
            (rate("vigil_ticks_missed_deadline_total"),),
        ),
        Panel(
            "Stalls",
            "Sessions that decide nothing, by cause",
            Unit.COUNT,
            (Query("sum by (cause) (vigil_sessions_stalled) or vector(0)", "{{cause}}"),),
        ),
        Panel(
            "Unchanged share of the prompt",
            "With which the next prompt of a chunk begins: near 1, or the prefix cache is of no use",
            Unit.SHARE,
            quantiles("vigil_prompt_prefix_share", 0.5, 0.05),
        ),
        Panel(
            "Outputs that could not be read",
            "Silent turns, though the model said something",
            Unit.PER_SECOND,
            (rate("vigil_outputs_malformed_total", "reason", may_be_none=True),),
        ),
        Panel(
            "Words held back",
            "Utterances that repeated what was just said",
            Unit.PER_SECOND,
            (rate("vigil_utterances_suppressed_total", "guard", may_be_none=True),),
        ),
        Panel(
            "Alerts that people see to",
            "Acknowledged and muted, by whether that was new",
            Unit.PER_SECOND,
            (
                Query(
                    "sum by (action, outcome) (rate(vigil_gateway_alert_actions_total[$__rate_interval])) or vector(0)",
                    "{{action}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Delegated questions",
            "That brains work on, and that wait for one",
            Unit.COUNT,
            (Query("sum(vigil_brain_running)", "running"), Query("sum(vigil_brain_waiting)", "waiting")),
        ),
        Panel(
            "Delegated questions that are over",
            "By what became of them",
            Unit.PER_SECOND,
            (rate("vigil_brain_tasks_total", "outcome", may_be_none=True),),
        ),
        Panel(
            "Brains that gave no answer",
            "Tries, by why",
            Unit.PER_SECOND,
            (rate("vigil_brain_failures_total", "reason", may_be_none=True),),
        ),
        Panel(
            "Blocks of memory",
            "That are written now, and that wait to be",
            Unit.COUNT,
            (Query("sum(vigil_memory_running)", "running"), Query("sum(vigil_memory_waiting)", "waiting")),
        ),
        Panel(
            "Blocks of memory that are over",
            "Summaries and merges, by what became of them",
            Unit.PER_SECOND,
            (
                Query(
                    "sum by (kind, outcome) (rate(vigil_memory_requests_total[$__rate_interval])) or vector(0)",
                    "{{kind}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Summarisers that gave no block",
            "Tries, by why",
            Unit.PER_SECOND,
            (rate("vigil_memory_failures_total", "reason", may_be_none=True),),
        ),
        Panel(
            "Spans without a summary",
            "Key frames stand for them in the prompt until their summary is there",
            Unit.COUNT,
            (Query("sum(vigil_session_memory_unwritten)", "unwritten"),),
        ),
        Panel(
            "Blocks in memory",
            "Of all sessions, by level: 0 are summaries, the others are merged",
            Unit.COUNT,
            (Query("sum by (level) (vigil_session_memory_blocks) or vector(0)", "level {{level}}"),),
        ),
        Panel(
            "Recalls",
            "Questions for which a turn asked memory, by what came of it: late and absent ones are answered without",
            Unit.PER_SECOND,
            (rate("vigil_turn_recalls_total", "outcome", may_be_none=True),),
        ),
        Panel(
            "Time of a recall",
            "At the memory service. A turn waits 0.15 s and is answered without it then",
            Unit.SECONDS,
            quantiles("vigil_memory_recall_seconds", 0.5, 0.9, may_be_none=True),
        ),
        Panel(
            "Embedding model of memory",
            "Calls, by what came of them; without one questions are recalled by their words",
            Unit.PER_SECOND,
            (rate("vigil_memory_embeddings_total", "outcome", may_be_none=True),),
        ),
        Panel(
            "What was said to sessions",
            "Remarks, by what became of them",
            Unit.PER_SECOND,
            (rate("vigil_asr_remarks_total", "became", may_be_none=True),),
        ),
        Panel(
            "Final transcripts",
            "From the speaker's silence until the transcript is there",
            Unit.SECONDS,
            quantiles("vigil_asr_final_seconds", 0.5, 0.95, may_be_none=True),
        ),
        Panel(
            "Speech that was not understood",
            "Remarks that the engine gave no transcript of, by why",
            Unit.PER_SECOND,
            (rate("vigil_asr_failures_total", "reason", may_be_none=True),),
        ),
        Panel(
            "What sessions spoke",
            "Words that were to be spoken, by what became of them: ended, or why they stayed text or were cut short",
            Unit.PER_SECOND,
            (rate("vigil_tts_words_total", "outcome", may_be_none=True),),
        ),
        Panel(
            "First sound",
            "From when words reached the voice until their first sound was published",
            Unit.SECONDS,
            tuple(
                Query(f"{query.expression} or vector(0)", query.legend)
                for query in quantiles("vigil_tts_first_audio_seconds", 0.5, 0.95)
            ),
        ),
        Panel(
            "Speech that was not made",
            "Texts of which the speech engine gave no sound, or not all, by why",
            Unit.PER_SECOND,
            (rate("vigil_tts_engine_failures_total", "kind", may_be_none=True),),
        ),
        Panel(
            "Observations of modules",
            "What modules said, what of it turns told the model, and what the prompt told already",
            Unit.PER_SECOND,
            (
                Query("sum(rate(vigil_observations_received_total[$__rate_interval])) or vector(0)", "received"),
                Query("sum(rate(vigil_observations_shown_total[$__rate_interval])) or vector(0)", "told"),
                Query("sum(rate(vigil_observations_folded_total[$__rate_interval])) or vector(0)", "told already"),
            ),
        ),
        Panel(
            "Observations that were refused",
            "By reason: `too_fast` is beyond a module's rate and was not read",
            Unit.PER_SECOND,
            (rate("vigil_observations_refused_total", "reason", may_be_none=True),),
        ),
        TracePanel(
            "Turns of one session",
            "Type the session's id above. An alert's own trace stands in its event, as traceparent",
            "interaction",
            f"{spans.SESSION}=$session",
        ),
    ),
)
