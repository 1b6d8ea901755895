"""NATS and Redis as Vigil uses them, and the webhook bridge behind them. The gateway measures both servers."""

from reference.dashboards.grafana import Dashboard, Panel, Query, Unit, quantiles, rate

BUS = Dashboard(
    uid="vigil-bus",
    title="Vigil: bus",
    answers="Is what was decided stored and delivered, how fast, and how full are the stores?",
    panels=(
        Panel(
            "Waiting to be stored",
            "Committed messages that JetStream has not stored yet",
            Unit.COUNT,
            (Query("sum(vigil_outbox_messages)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Waiting for receivers",
            "Events that webhook receivers have not taken yet",
            Unit.COUNT,
            (Query("sum(vigil_webhook_waiting)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Redis",
            "Memory that Redis uses",
            Unit.BYTES,
            (Query("max(vigil_redis_memory_bytes)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Dead letters",
            "Events put aside in the last day",
            Unit.COUNT,
            (Query("sum(increase(vigil_webhook_dead_letters_total[1d])) or vector(0)"),),
            stat=True,
            width=6,
        ),
        Panel(
            "Messages",
            "Given to NATS, by kind",
            Unit.PER_SECOND,
            (rate("vigil_bus_messages_published_total", "kind"),),
        ),
        Panel(
            "Bytes",
            "Given to NATS, by kind",
            Unit.BYTES_PER_SECOND,
            (rate("vigil_bus_published_bytes_total", "kind"),),
        ),
        Panel(
            "Time to disk: NATS",
            "Until JetStream has a message on disk",
            Unit.SECONDS,
            quantiles("vigil_bus_store_seconds", 0.5, 0.99, by="kind"),
        ),
        Panel(
            "Time to disk: Redis",
            "Until a turn is committed",
            Unit.SECONDS,
            quantiles("vigil_store_commit_seconds", 0.5, 0.95, 0.99),
        ),
        Panel(
            "How full the streams are",
            "At 1 a stream discards its oldest messages, as it should",
            Unit.SHARE,
            (Query("max by (stream) (vigil_stream_bytes) / max by (stream) (vigil_stream_limit_bytes)", "{{stream}}"),),
        ),
        Panel(
            "Messages in the streams",
            "What can be replayed",
            Unit.COUNT,
            (Query("max by (stream) (vigil_stream_messages)", "{{stream}}"),),
        ),
        Panel(
            "Redis: memory",
            "Used, and the most that it may use (0: no limit)",
            Unit.BYTES,
            (
                Query("max(vigil_redis_memory_bytes)", "used"),
                Query("max(vigil_redis_memory_limit_bytes)", "limit"),
            ),
        ),
        Panel(
            "Lost connections",
            "Log lines of services that lost NATS or Redis",
            Unit.PER_SECOND,
            (
                rate(
                    "vigil_log_lines_total",
                    "event",
                    'event=~"bus connection failed|leases not renewed|connections to redis dropped"',
                    may_be_none=True,
                ),
            ),
        ),
        Panel(
            "Deliveries",
            "POSTs of the webhook bridge, by what became of the event",
            Unit.PER_SECOND,
            (rate("vigil_webhook_attempts_total", "fate"),),
        ),
        Panel(
            "Time of a POST",
            "Until the head of the receiver's answer",
            Unit.SECONDS,
            quantiles("vigil_webhook_post_seconds", 0.5, 0.95),
        ),
        Panel(
            "Live events",
            "Written to clients of the gateway, and those that slow clients did not take",
            Unit.PER_SECOND,
            (
                rate("vigil_gateway_events_sent_total", "kind", may_be_none=True),
                rate("vigil_gateway_events_dropped_total", "kind", may_be_none=True),
            ),
        ),
        Panel(
            "Questions for the past",
            "Requests of downstream systems for stored events",
            Unit.PER_SECOND,
            (rate("vigil_gateway_history_requests_total", "outcome", may_be_none=True),),
        ),
    ),
)
