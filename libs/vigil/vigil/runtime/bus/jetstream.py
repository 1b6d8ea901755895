"""What the bus asks of JetStream: streams and stored messages. Raises nats-py's errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RawStreamMsg, RePublish, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NoStreamResponseError, NotFoundError

from vigil.contract import subjects
from vigil.contract.streams import BUCKETS, FORM, STREAMS, BucketSpec, Retention, StreamSpec, stream_of
from vigil.runtime.process.logs import get_log

log = get_log()

MESSAGE_ID = "Nats-Msg-Id"
FORM_KEY = "vigil-form"
_LAST_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"
_LAST_SEQUENCE_OF = "Nats-Expected-Last-Subject-Sequence-Subject"
_NAME_IN_USE = 10058
_SUBJECTS_OVERLAP = 10065
_RETENTION = {Retention.LIMITS: RetentionPolicy.LIMITS, Retention.WORK_QUEUE: RetentionPolicy.WORK_QUEUE}


@dataclass(frozen=True, slots=True)
class Stored:
    """Where JetStream stored a message. A duplicate was stored before: `sequence` is that of the first time."""

    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The newest message of a stream on a filter, which may hold wildcards: its sequence, 0 for none."""

    filter_subject: str
    sequence: int

    @property
    def expected(self) -> dict[str, str]:
        """The headers by which a message is stored only while this is so."""
        return {_LAST_SEQUENCE: str(self.sequence), _LAST_SEQUENCE_OF: self.filter_subject}


@dataclass(frozen=True, slots=True)
class StreamSize:
    """What a stream holds, and the most that it may hold."""

    messages: int
    stored_bytes: int
    limit_bytes: int


async def store(
    js: JetStreamContext,
    subject: str,
    payload: bytes,
    headers: Mapping[str, str],
    replicas: int = 1,
    *,
    may_update: bool = True,
) -> Stored:
    """Publish and await the acknowledgement. When the server lost its streams, they are made again first."""
    try:
        ack = await js.publish(subject, payload, headers=dict(headers))
    except NoStreamResponseError:
        await ensure_streams(js, replicas, may_update=may_update)
        ack = await js.publish(subject, payload, headers=dict(headers))
    return Stored(ack.seq, bool(ack.duplicate))


async def size(js: JetStreamContext, stream: str) -> StreamSize:
    """How much a stream holds, and may hold."""
    info = await js.stream_info(stream)
    return StreamSize(info.state.messages, info.state.bytes, info.config.max_bytes or 0)


async def last_message_id(js: JetStreamContext, subject: str) -> str:
    """The id of the newest stored message on `subject`; empty when there is none."""
    newest = await _newest(js, subject)
    return "" if newest is None else str((newest.headers or {}).get(MESSAGE_ID, ""))


async def last_stored(js: JetStreamContext, subject: str) -> bytes | None:
    """The payload of the newest stored message on `subject`; None when there is none."""
    newest = await _newest(js, subject)
    return None if newest is None else newest.data or b""


async def _newest(js: JetStreamContext, subject: str) -> RawStreamMsg | None:
    try:
        return await js.get_last_msg(stream_of(subject).name, subject)
    except NotFoundError:
        return None


async def consumer_config(js: JetStreamContext, stream: str, durable: str) -> dict[str, object] | None:
    """A consumer's configuration as the server has it, with whatever nats-py does not know; None when there is none."""
    try:
        found = await js._api_request(f"$JS.API.CONSUMER.INFO.{stream}.{durable}", timeout=js._timeout)
    except NotFoundError:
        return None
    config: dict[str, object] = found["config"]
    return config


async def ensure_streams(js: JetStreamContext, replicas: int = 1, *, may_update: bool = True) -> None:
    """Create every stream and every bucket, or update them where that may be; each message in them is kept by so many
    servers. What a newer release has declared stays as it is.

    A subject of a new stream may belong to a stream of an older release still. Whoever may not update that one goes on
    without the new stream: it is made by the first that may (`vigil-provision streams`).
    """
    for config in (*map(stream_config, STREAMS), *map(_bucket_config, BUCKETS)):
        config.num_replicas = replicas
        try:
            await js.add_stream(config)
        except BadRequestError as error:
            if error.err_code == _SUBJECTS_OVERLAP and not may_update:
                log.info("stream left to be made", stream=config.name)
                continue
            if error.err_code != _NAME_IN_USE:
                raise
            if await _is_newer(js, config):
                log.warning("stream of a newer release kept", stream=config.name)
            elif not may_update:
                log.info("stream left to be brought up to date", stream=config.name)
            else:
                await js.update_stream(config)


async def _is_newer(js: JetStreamContext, declared: StreamConfig) -> bool:
    found = (await js.stream_info(str(declared.name))).config.metadata or {}
    return int(found.get(FORM_KEY, "0")) > FORM


def stream_config(spec: StreamSpec) -> StreamConfig:
    """What JetStream is asked for a declared stream. The retention of an existing stream cannot change."""
    return StreamConfig(
        name=spec.name,
        description=spec.description,
        subjects=list(spec.subjects),
        retention=_RETENTION[spec.retention],
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=spec.max_age_s,
        max_bytes=spec.max_bytes,
        duplicate_window=spec.deduplication_s,
        allow_direct=True,
        republish=_numbered(spec),
        metadata={FORM_KEY: str(FORM)},
    )


def _numbered(spec: StreamSpec) -> RePublish | None:
    """Publish again what is stored; what a work queue holds is for one reader alone."""
    if spec.retention is Retention.WORK_QUEUE:
        return None
    return RePublish(src=spec.family, dest=subjects.numbered(spec.family))


def _bucket_config(spec: BucketSpec) -> StreamConfig:
    """An object store is a stream; declared here because nats-py's own refuses new objects when it is full."""
    return StreamConfig(
        name=spec.stream,
        description=spec.description,
        subjects=[f"$O.{spec.name}.C.>", f"$O.{spec.name}.M.>"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=spec.max_age_s,
        max_bytes=spec.max_bytes,
        allow_rollup_hdrs=True,
        allow_direct=True,
        metadata={FORM_KEY: str(FORM)},
    )
