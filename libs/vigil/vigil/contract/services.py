"""The services: one row says all that others must know of each.

`vigil up` starts them by these rows, `vigil doctor` checks them, the NATS users and their rights are made from them,
and docs/services.md shows them. A row is data: nothing here imports a service.

A new service adds its row here, its folder below `services/`, and nothing else anywhere.
"""

from vigil.contract import subjects
from vigil.contract.service_spec import BucketAccess, BusAccess, Resources, ServiceKind, ServiceSpec, StoreAccess
from vigil.contract.streams import (
    ALERTS,
    APPROVALS,
    AUDIT,
    DEAD_LETTERS,
    DECISIONS,
    DELEGATIONS,
    MEMORY_EVENTS,
    MEMORY_REQUESTS,
    SESSIONS,
    SPEECH,
    STREAMS,
    TASKS,
    TRANSCRIPTS,
    UTTERANCES,
)
from vigil.contract.subject_tokens import (
    PREFIX,
    SESSION_DELEGATIONS,
    AlertAction,
    ApprovalEvent,
    DelegationEvent,
    Kind,
    Lifecycle,
    MemoryEvent,
)
from vigil.core.alert import AlertState
from vigil.core.source import Role


def _of_all(kind: Kind) -> str:
    """The subjects of this kind of every session."""
    return f"{PREFIX}.{kind}.>"


def _lifecycle(*events: Lifecycle) -> tuple[str, ...]:
    """The subjects of these events of every session."""
    return tuple(f"{PREFIX}.session.{event}.>" for event in events)


def _placement_keys(role: str) -> str:
    """The keys by which workers of a role claim sessions."""
    return f"vigil:v1:{{placement}}:{role}:*"


SESSION_KEYS = "vigil:v1:{*.*}:*"
INDEX_KEYS = "vigil:v1:{tenant:*}:sessions"
PUSHED_KEYS = "vigil:v1:{pushed}:*"
HEALTH_KEYS = "vigil:v1:{health}:*"
GATEWAY_KEYS = "vigil:v1:{gateway}:*"
APPROVAL_KEYS = "vigil:v1:{tenant:*}:approvals"  # the requests of all of a tenant's sessions
GRANT_KEYS = "vigil:v1:{tenant:*}:grants"  # the patterns that grant some of them by themselves

GATEWAY = ServiceSpec(
    name="gateway",
    kind=ServiceKind.GATEWAY,
    purpose="REST, gRPC, WebSockets, live events, the OpenAI-compatible endpoint, API keys",
    module="vigil_gateway.main",
    settings="vigil_gateway.config:GatewaySettings",
    wiring=(
        "nats_url",
        "redis_url",
        "http_port",
        "grpc_port",
        "metrics_port",
        "api_keys_file",
        "ingestion_grpc",
        "model",
        "profile",
        "rendered_sources",
    ),
    http_port=8080,
    grpc_port=9200,
    metrics_port=9100,
    bus=BusAccess(
        publishes=(
            _of_all(Kind.COMMAND),
            _of_all(Kind.RAW_FRAMES),  # pictures that clients push
            _of_all(Kind.CODED_FRAMES),  # only to ask whether a worker listens there
            _of_all(Kind.SIGNALLING),  # the offers of WebRTC clients, to the worker that holds the session
            _of_all(Kind.PREVIEW_ASKED),  # somebody looks at the session's smooth picture
            *_lifecycle(Lifecycle.REQUESTED, Lifecycle.CHANGED, Lifecycle.STALLED, Lifecycle.ENDED),
            *subjects.all_alert_events(AlertAction),  # what people do about alerts: alerts are not its to make
            subjects.ALL_HISTORY_ANSWERS,
            subjects.ALL_AUDIT,
            _of_all(Kind.TASK_CANCELLING),
            _of_all(Kind.MEMORY_RECALL),
            *subjects.all_approvals(ApprovalEvent.GRANTED, ApprovalEvent.REFUSED),  # what people decide
            _of_all(Kind.AUDIO_IN),  # the microphones of clients
            _of_all(Kind.ANNOUNCEMENT),  # what operators have sessions say
            subjects.ALL_OBSERVATIONS,  # of modules without NATS
        ),
        hears=(
            subjects.ALL_DECISIONS,
            subjects.ALL_NUMBERED,
            _of_all(Kind.TURN_DROPPED),
            _of_all(Kind.PREVIEW_SHOWN),
            *_lifecycle(Lifecycle.MOVED),  # a picture that is waited for is shown again to a worker that takes over
            subjects.ALL_HISTORY_ASKED,
            _of_all(Kind.AUDIO_OUT),
            _of_all(Kind.VOICE_ACTIVITY),
            _of_all(Kind.TRANSCRIPT_PARTIAL),
        ),
        looks_up=(SESSIONS, DECISIONS),  # the decision on a picture that a client sends again
        reads=(
            DECISIONS,
            ALERTS,
            UTTERANCES,
            SESSIONS,
            DELEGATIONS,
            APPROVALS,
            MEMORY_EVENTS,
            TRANSCRIPTS,
            SPEECH,
            AUDIT,
        ),
        measures=STREAMS,
        snapshots=BucketAccess.ERASE,  # a client may have what was seen and made in a session removed
        artefacts=BucketAccess.ERASE,
    ),
    redis_keys=(
        SESSION_KEYS,
        INDEX_KEYS,
        PUSHED_KEYS,
        GATEWAY_KEYS,
        APPROVAL_KEYS,
        GRANT_KEYS,
        HEALTH_KEYS,
        _placement_keys("*"),
    ),
    resources=Resources(cpu=0.5, memory_mib=512),
    store=StoreAccess.MANAGE,
)

INGESTION = ServiceSpec(
    name="ingestion",
    kind=ServiceKind.CLAIMER,
    purpose="pulls cameras and files, receives WebRTC, samples by capture time, publishes frames",
    module="vigil_ingestion.main",
    settings="vigil_ingestion.config:IngestionSettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port", "local_source_tenants"),
    http_port=9101,
    grpc_port=9201,
    bus=BusAccess(
        publishes=(
            _of_all(Kind.RAW_FRAMES),
            _of_all(Kind.CODED_FRAMES),  # only to ask whether a worker listens there
            _of_all(Kind.PREVIEW_SHOWN),
            _of_all(Kind.AUDIO_IN),  # the sound of sources
            *_lifecycle(Lifecycle.SOURCE_LOST, Lifecycle.SOURCE_BACK, Lifecycle.ENDED),
        ),
        hears=(
            subjects.ALL_LIFECYCLE,
            _of_all(Kind.SIGNALLING),
            _of_all(Kind.PREVIEW_ASKED),
            _of_all(Kind.FRAME_ASKED),  # a question waits for a turn
        ),
        looks_up=(SESSIONS,),
    ),
    redis_keys=(
        SESSION_KEYS,
        INDEX_KEYS,
        HEALTH_KEYS,
        *(_placement_keys(role) for role in (Role.INGESTION, Role.CODEC, Role.ASR, Role.TTS)),  # it ends sessions
    ),
    resources=Resources(cpu=2.0, memory_mib=1_024),
    store=StoreAccess.WORK,
)

CODEC = ServiceSpec(
    name="codec",
    kind=ServiceKind.CLAIMER,
    purpose="the video tokenizer: raw frames in, coded frames out",
    module="vigil_codec.main",
    settings="vigil_codec.config:CodecSettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port"),
    http_port=9102,
    grpc_port=9202,
    bus=BusAccess(
        publishes=(_of_all(Kind.CODED_FRAMES), _of_all(Kind.TURN_DROPPED)),
        hears=(_of_all(Kind.RAW_FRAMES), subjects.ALL_LIFECYCLE),
    ),
    redis_keys=(SESSION_KEYS, HEALTH_KEYS, _placement_keys(Role.CODEC)),
    resources=Resources(cpu=0.5, memory_mib=256),
    store=StoreAccess.CLAIM,
)

INTERACTION = ServiceSpec(
    name="interaction",
    kind=ServiceKind.CLAIMER,
    purpose="owns sessions: the tick, the prompt, the decision, the commit",
    module="vigil_interaction.main",
    settings="vigil_interaction.config:InteractionSettings",
    wiring=(
        "nats_url",
        "redis_url",
        "http_port",
        "grpc_port",
        "engine_urls",
        "model",
        "profile",
        "engine_images_gb",
    ),
    http_port=9103,
    grpc_port=9203,
    bus=BusAccess(
        publishes=(
            subjects.ALL_DECISIONS,
            subjects.ALL_UTTERANCES,
            *subjects.all_alert_events(AlertState),
            *subjects.all_delegations(*SESSION_DELEGATIONS),
            subjects.ALL_TASKS,
            subjects.ALL_MEMORY_REQUESTS,
            _of_all(Kind.MEMORY_RECALL),
            *_lifecycle(Lifecycle.STARTED, Lifecycle.MOVED, Lifecycle.STALLED, Lifecycle.RECOVERED, Lifecycle.ENDED),
            _of_all(Kind.CODED_FRAMES),  # the frame in hand, to whoever takes a session over
            _of_all(Kind.FRAME_ASKED),  # a picture at once, for a question
            _of_all(Kind.TURN_DROPPED),
        ),
        hears=(
            _of_all(Kind.CODED_FRAMES),
            _of_all(Kind.COMMAND),
            subjects.ALL_LIFECYCLE,
            subjects.ALL_OBSERVATIONS,  # of modules
        ),
        looks_up=(DECISIONS, UTTERANCES, ALERTS, DELEGATIONS, TASKS, MEMORY_REQUESTS, SESSIONS),
        snapshots=BucketAccess.WRITE,
    ),
    redis_keys=(SESSION_KEYS, HEALTH_KEYS, _placement_keys("*")),
    resources=Resources(cpu=1.0, memory_mib=256),
    store=StoreAccess.WORK,
)

WEBHOOK = ServiceSpec(
    name="webhook",
    kind=ServiceKind.CONSUMER,
    purpose="alerts and session events as signed HTTP requests, for those who have no NATS",
    module="vigil_webhook.main",
    settings="vigil_webhook.config:WebhookSettings",
    wiring=("nats_url", "http_port", "webhooks_file", "webhook_allow_local"),
    http_port=9108,
    grpc_port=None,
    bus=BusAccess(publishes=(subjects.dead_letters("webhook"),), consumes=(ALERTS, SESSIONS), reads=(DEAD_LETTERS,)),
    redis_keys=(),
    resources=Resources(cpu=0.25, memory_mib=192),
    on_request=True,
)

BRAIN = ServiceSpec(
    name="brain",
    kind=ServiceKind.CONSUMER,
    purpose="delegated questions to any API, model or agent, and their answers back into the session",
    module="vigil_brain.main",
    settings="vigil_brain.config:BrainSettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port"),
    http_port=9105,
    grpc_port=9205,
    bus=BusAccess(
        publishes=(
            *subjects.all_delegations(*(event for event in DelegationEvent if event not in SESSION_DELEGATIONS)),
            *subjects.all_approvals(*ApprovalEvent),  # what a pattern grants is granted here
            _of_all(Kind.TASK_CANCELLING),
            _of_all(Kind.MEMORY_RECALL),
            subjects.dead_letters("brain"),
        ),
        hears=(
            *subjects.all_delegations(DelegationEvent.CLOSED),
            _of_all(Kind.TASK_CANCELLING),
            *_lifecycle(Lifecycle.ENDED),
        ),
        consumes=(TASKS,),
        artefacts=BucketAccess.WRITE,
    ),
    redis_keys=(SESSION_KEYS, APPROVAL_KEYS, GRANT_KEYS, HEALTH_KEYS),
    resources=Resources(cpu=0.5, memory_mib=512),
    store=StoreAccess.WORK,
)

MEMORY = ServiceSpec(
    name="memory",
    kind=ServiceKind.CONSUMER,
    purpose="blocks of memory written by a summariser, off the tick, and recalled for questions about the past",
    module="vigil_memory.main",
    settings="vigil_memory.config:MemorySettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port", "engine_urls", "model"),
    http_port=9106,
    grpc_port=9206,
    bus=BusAccess(
        publishes=(*subjects.all_memory(*MemoryEvent), subjects.dead_letters("memory")),
        hears=(_of_all(Kind.MEMORY_RECALL), *_lifecycle(Lifecycle.ENDED)),
        consumes=(MEMORY_REQUESTS,),
    ),
    redis_keys=(SESSION_KEYS, HEALTH_KEYS),
    resources=Resources(cpu=0.5, memory_mib=256),
    store=StoreAccess.WORK,
)

ASR = ServiceSpec(
    name="asr",
    kind=ServiceKind.CLAIMER,
    purpose="hears sessions: voice activity, transcripts while people speak, and questions of what they said",
    module="vigil_asr.main",
    settings="vigil_asr.config:AsrSettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port", "asr_folder"),
    http_port=9107,
    grpc_port=9207,
    bus=BusAccess(
        publishes=(
            _of_all(Kind.VOICE_ACTIVITY),
            _of_all(Kind.TRANSCRIPT_PARTIAL),
            subjects.ALL_TRANSCRIPTS,
            _of_all(Kind.COMMAND),  # that a question waits in the session's inbox
        ),
        hears=(_of_all(Kind.AUDIO_IN), _of_all(Kind.AUDIO_OUT), subjects.ALL_LIFECYCLE),
    ),
    redis_keys=(SESSION_KEYS, HEALTH_KEYS, _placement_keys(Role.ASR)),
    resources=Resources(cpu=2.0, memory_mib=896),
    store=StoreAccess.WORK,
    on_request=True,
)

TTS = ServiceSpec(
    name="tts",
    kind=ServiceKind.CLAIMER,
    purpose="speaks for sessions: one voice each, which answers, alerts and the user interrupt",
    module="vigil_tts.main",
    settings="vigil_tts.config:TtsSettings",
    wiring=("nats_url", "redis_url", "http_port", "grpc_port", "tts_folder"),
    http_port=9109,
    grpc_port=9209,
    bus=BusAccess(
        publishes=(_of_all(Kind.AUDIO_OUT), subjects.ALL_SPEECH),
        hears=(
            subjects.ALL_UTTERANCES,
            *subjects.all_alert_events((AlertState.OPENED, AlertState.UPDATED)),
            _of_all(Kind.VOICE_ACTIVITY),
            subjects.ALL_TRANSCRIPTS,
            _of_all(Kind.ANNOUNCEMENT),
            subjects.ALL_LIFECYCLE,
        ),
    ),
    redis_keys=(SESSION_KEYS, HEALTH_KEYS, _placement_keys(Role.TTS)),
    resources=Resources(cpu=1.0, memory_mib=512),
    store=StoreAccess.CLAIM,
    on_request=True,
)

SERVICES = (INGESTION, CODEC, INTERACTION, MEMORY, BRAIN, ASR, TTS, WEBHOOK, GATEWAY)
"""In the order in which they are shown and started; the gateway, which clients wait for, last."""


def service(name: str) -> ServiceSpec:
    """The row of a service. Raises `KeyError`."""
    return {row.name: row for row in SERVICES}[name]
