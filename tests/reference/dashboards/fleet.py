"""The fleet: every process, its dependencies, and how many sessions they hold."""

from reference.dashboards.grafana import Dashboard, Panel, Query, Unit, quantiles, rate

JOBS = 'job=~"gateway|ingestion|codec|interaction|webhook"'
HELD = 'sum(vigil_claims_held{role="interaction"})'
PLACES = "sum(min by (instance) (vigil_capacity_sessions))"

FLEET = Dashboard(
    uid="vigil-fleet",
    title="Vigil: fleet",
    answers="Does every process work, how many sessions are held, and how many more fit?",
    panels=(
        Panel("Processes", "Processes that answer", Unit.COUNT, (Query(f"sum(up{{{JOBS}}})"),), stat=True, width=4),
        Panel(
            "Ready",
            "Share of the processes that take work",
            Unit.SHARE,
            (Query("avg(vigil_ready)"),),
            stat=True,
            width=4,
        ),
        Panel("Sessions", "Sessions that are watched now", Unit.COUNT, (Query(HELD),), stat=True, width=4),
        Panel("Places left", "How many more fit", Unit.COUNT, (Query(f"{PLACES} - {HELD}"),), stat=True, width=4),
        Panel(
            "Alerts opened",
            "In the last hour",
            Unit.COUNT,
            (Query('sum(increase(vigil_alerts_total{state="opened"}[1h])) or vector(0)'),),
            stat=True,
            width=4,
        ),
        Panel(
            "Rules that fire",
            "Alert rules that fire now, of those of Vigil",
            Unit.COUNT,
            (Query('count(ALERTS{alertname=~"Vigil.*", alertstate="firing"}) or vector(0)'),),
            stat=True,
            width=4,
        ),
        Panel(
            "Sessions by role",
            "Each session is held by one worker of each of its roles",
            Unit.COUNT,
            (Query("sum by (role) (vigil_claims_held)", "{{role}}"),),
        ),
        Panel(
            "Capacity",
            "Sessions that the workers may hold: the least of the three figures counts",
            Unit.COUNT,
            (Query("sum by (figure) (vigil_capacity_sessions)", "{{figure}}"), Query(HELD, "held")),
        ),
        Panel(
            "Dependencies",
            "1 while the service reaches what it needs",
            Unit.COUNT,
            (Query("min by (job, port) (vigil_port_up)", "{{job}} {{port}}"),),
        ),
        Panel(
            "Cameras",
            "Sources that are open, and those that show no pictures",
            Unit.COUNT,
            (Query("sum(vigil_ingestion_sources)", "open"), Query("sum(vigil_ingestion_sources_lost)", "lost")),
        ),
        Panel(
            "Reconnects",
            "Sources opened again, by what was wrong",
            Unit.PER_SECOND,
            (rate("vigil_ingestion_reconnects_total", "fault", may_be_none=True),),
        ),
        Panel(
            "Requests",
            "Answers of the gateway over HTTP, by status",
            Unit.PER_SECOND,
            (rate("vigil_gateway_requests_total", "status"),),
        ),
        Panel(
            "Time to an answer",
            "Of the gateway over HTTP, by route",
            Unit.SECONDS,
            quantiles("vigil_gateway_request_seconds", 0.95, by="route"),
        ),
        Panel(
            "Processor",
            "Cores in use",
            Unit.CORES,
            (Query(f"sum by (job) (rate(process_cpu_seconds_total{{{JOBS}}}[$__rate_interval]))", "{{job}}"),),
        ),
        Panel(
            "Memory",
            "Resident memory",
            Unit.BYTES,
            (Query(f"sum by (job) (process_resident_memory_bytes{{{JOBS}}})", "{{job}}"),),
        ),
        Panel(
            "Warnings and errors",
            "Log lines, by their words",
            Unit.PER_SECOND,
            (rate("vigil_log_lines_total", "event", 'level=~"warning|error"', may_be_none=True),),
        ),
        Panel(
            "Sessions that moved",
            "Leases that workers lost: to a take-over, or because Redis was away",
            Unit.PER_SECOND,
            (rate("vigil_claims_lost_total", "role", may_be_none=True),),
        ),
        Panel(
            "Live streams",
            "Clients that follow events or push pictures",
            Unit.COUNT,
            (Query("sum(vigil_gateway_event_streams)"),),
        ),
    ),
)
