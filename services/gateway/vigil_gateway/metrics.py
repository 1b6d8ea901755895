"""What the gateway counts. Labels never name a tenant or a session."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("vigil_gateway_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "vigil_gateway_request_seconds",
    "From the request's head to the answer's head",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
CALLS = Counter(
    "vigil_gateway_calls",
    "Calls and messages answered over gRPC, a WebSocket, A2A or MCP",
    ["door", "method", "status"],
)
CONNECTIONS_REFUSED = Counter(
    "vigil_gateway_connections_refused", "Connections closed before a whole request came", ["reason"]
)
REQUESTS_LIMITED = Counter(
    "vigil_gateway_requests_limited", "Requests refused because their key makes more than it may", ["door"]
)
LOGINS = Counter(
    "vigil_gateway_logins",
    "Logins at the console: opened, closed, displaced by newer ones of the tenant, or refused and why",
    ["outcome"],
)
AGENT_TASKS = Counter(
    "vigil_gateway_agent_tasks",
    "Tasks of other agents (A2A): begun, cancelled, dropped to make room once they were over, or refused for lack of "
    "it",
    ["event"],
)
AUDIT_RECORDED = Counter("vigil_gateway_audit_recorded", "Records of the audit that were stored")
AUDIT_LOST = Counter("vigil_gateway_audit_lost", "Records of the audit that could not be stored, for NATS was away")
AUDIT_WAITING = Gauge("vigil_gateway_audit_waiting", "Records of the audit that wait for NATS")
STREAMS = Gauge("vigil_gateway_event_streams", "Live streams that are open: events, pushed pictures, WebSockets")
PREVIEWS = Gauge("vigil_gateway_previews", "Clients that look at the smooth picture of a session")
PREVIEW_SENT = Counter("vigil_gateway_preview_pictures_sent", "Pictures of previews written to clients")
PREVIEW_DROPPED = Counter(
    "vigil_gateway_preview_pictures_dropped", "Pictures of previews that a slow client did not take"
)
SOUND_CHUNKS = Counter("vigil_gateway_sound_chunks", "Chunks of 40 ms of the sound of microphones that were published")
SOUND_DROPPED = Counter(
    "vigil_gateway_sound_dropped",
    "Messages and chunks of microphones that were left out: refused (not as it must be, or faster than it can have "
    "been recorded), unpublished (the bus did not take it)",
    ["reason"],
)
EVENTS_SENT = Counter("vigil_gateway_events_sent", "Live events written to clients", ["kind"])
EVENTS_DROPPED = Counter("vigil_gateway_events_dropped", "Live events that a slow client did not take", ["kind"])
EVENTS_UNREADABLE = Counter("vigil_gateway_events_unreadable", "Bus messages that could not be read", ["kind"])
SESSIONS_CREATED = Counter("vigil_gateway_sessions_created", "Sessions created")
UNHELD = Gauge(
    "vigil_gateway_sessions_unheld",
    "Open sessions that no interaction worker has held for several seconds: each is stalled",
)
KEYS = Gauge("vigil_gateway_api_keys", "API keys in the key file, expired ones too")
KEY_FILE_FAULT = Gauge(
    "vigil_gateway_key_file_fault", "1 while the key file cannot be used and the keys that were read before it hold"
)
ALERT_ACTIONS = Counter(
    "vigil_gateway_alert_actions",
    "What people did about alerts: stored, repeated (it was so already), or refused (the alert has closed)",
    ["action", "outcome"],
)
TASKS_CANCELLED = Counter(
    "vigil_gateway_tasks_cancelled",
    "Requests to cancel a delegated question: cancelled, or over (it had ended before)",
    ["outcome"],
)
APPROVALS = Counter(
    "vigil_gateway_approvals",
    "What people decided about approvals: granted, refused, or too_late (it was decided otherwise before)",
    ["outcome"],
)
RECALLS = Counter(
    "vigil_gateway_recalls",
    "Questions to a session's memory: answered, absent (no memory service listens), late, unreadable, failed",
    ["outcome"],
)
STREAM_MESSAGES = Gauge("vigil_stream_messages", "Messages that a stream of JetStream holds", ["stream"])
STREAM_BYTES = Gauge("vigil_stream_bytes", "What a stream of JetStream holds", ["stream"])
STREAM_LIMIT_BYTES = Gauge(
    "vigil_stream_limit_bytes", "The most that a stream may hold: then its oldest messages go", ["stream"]
)
REDIS_MEMORY_BYTES = Gauge("vigil_redis_memory_bytes", "Memory that Redis uses")
REDIS_MEMORY_LIMIT_BYTES = Gauge(
    "vigil_redis_memory_limit_bytes", "The most that Redis may use (`maxmemory`): then turns are dropped; 0: no limit"
)
HISTORY = Counter(
    "vigil_gateway_history_requests",
    "Requests of downstream systems for past events: answered, refused, failed, or dropped because others wait",
    ["outcome"],
)
HISTORY_FLOODS = Counter(
    "vigil_gateway_history_floods", "Times that more requests for past events came than are read: none are for 2 s then"
)
