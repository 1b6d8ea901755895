"""The engines: what they are asked, how fast they answer, and what the prefix cache saves."""

from reference.dashboards.grafana import Dashboard, Panel, Query, Unit, quantiles, rate

ENGINE = Dashboard(
    uid="vigil-engine",
    title="Vigil: engine",
    answers="Do the engines answer in time, and does their prefix cache work?",
    panels=(
        Panel(
            "Engines in use",
            "Engines that sessions are sent to",
            Unit.COUNT,
            (Query("sum(max by (engine) (vigil_engine_up))"),),
            stat=True,
            width=8,
        ),
        Panel(
            "Cached",
            "Share of the prompt tokens that the prefix cache served",
            Unit.SHARE,
            (
                Query(
                    "sum(rate(vigil_engine_cached_tokens_total[$__rate_interval]))"
                    " / sum(rate(vigil_engine_prompt_tokens_total[$__rate_interval]))"
                ),
            ),
            stat=True,
            width=8,
        ),
        Panel(
            "Busy",
            "Seconds of engine time asked for each second: beyond what the engine runs side by side, turns are late",
            Unit.CORES,
            (Query("sum(rate(vigil_engine_request_seconds_sum[$__rate_interval]))"),),
            stat=True,
            width=8,
        ),
        Panel(
            "Completions",
            "Requests by outcome",
            Unit.PER_SECOND,
            (
                Query(
                    "sum by (engine, outcome) (rate(vigil_engine_requests_total[$__rate_interval]))",
                    "{{engine}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Time to an answer",
            "Of completions that succeeded",
            Unit.SECONDS,
            quantiles("vigil_engine_request_seconds", 0.5, 0.95, 0.99, by="engine"),
        ),
        Panel("Up", "1 while sessions are sent there", Unit.COUNT, (Query("vigil_engine_up", "{{engine}}"),)),
        Panel(
            "Tokens",
            "Prompt tokens, and those of them that the prefix cache served",
            Unit.PER_SECOND,
            (
                Query("sum(rate(vigil_engine_prompt_tokens_total[$__rate_interval]))", "prompt"),
                Query("sum(rate(vigil_engine_cached_tokens_total[$__rate_interval]))", "cached"),
            ),
        ),
        Panel(
            "Tokens of a chunk's first prompt",
            "That the engine had to compute: pre-warming keeps them few",
            Unit.COUNT,
            quantiles("vigil_boundary_uncached_tokens", 0.5, 0.95),
        ),
        Panel(
            "Pre-warming",
            "Coming chunks shown to the engine, by outcome",
            Unit.PER_SECOND,
            (rate("vigil_prewarms_total", "outcome", may_be_none=True),),
        ),
        Panel(
            "Request size",
            "Bytes of a completion request",
            Unit.BYTES,
            quantiles("vigil_engine_request_bytes", 0.5, 0.99),
        ),
        Panel(
            "Pictures sent again",
            "Requests in full, because the engine had forgotten a picture",
            Unit.PER_SECOND,
            (rate("vigil_engine_resends_total", "engine", may_be_none=True),),
        ),
        Panel(
            "Sessions that changed engine",
            "By why: fail_over or return",
            Unit.PER_SECOND,
            (rate("vigil_engine_session_moves_total", "why", may_be_none=True),),
        ),
        Panel(
            "Prompts cut short",
            "Turns that went on without what the engine refused",
            Unit.PER_SECOND,
            (rate("vigil_prompts_cut_total", "left_out", may_be_none=True),),
        ),
        Panel(
            "Visual tokens",
            "Of all coded pictures",
            Unit.PER_SECOND,
            (rate("vigil_codec_visual_tokens_total"),),
        ),
    ),
)
