"""What is told of what was heard. What the bus does not take is counted: nobody speaks again because NATS was away."""

import time

from vigil.contract import subjects
from vigil.contract.audio import VoiceActivity, encode_activity
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_asr import metrics
from vigil_asr.ports import Ports

log = get_log()


async def tell_activity(ports: Ports, activity: VoiceActivity) -> None:
    """Publish that somebody began or stopped to speak."""
    try:
        await ports.bus.publish(subjects.voice_activity(activity.key), encode_activity(activity))
    except BusError as error:
        metrics.EVENTS_DROPPED.labels("activity").inc()
        log.warning("voice activity not published", state=activity.state.label, reason=str(error))


async def tell_transcript(ports: Ports, transcript: Transcript) -> None:
    """Publish a partial transcript, store a final one."""
    outgoing = transcript_outgoing(transcript, time.time_ns() // 1_000)
    try:
        if transcript.is_final:
            await ports.bus.publish_stored(outgoing)
        else:
            await ports.bus.publish(outgoing.subject, outgoing.payload)
    except BusError as error:
        event = "final" if transcript.is_final else "partial"
        metrics.EVENTS_DROPPED.labels(event).inc()
        log.warning("transcript not published", kind=event, transcript=transcript.id, reason=str(error))
    else:
        if not transcript.is_final:
            metrics.PARTIALS.inc()
