"""What it takes to hear sessions."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil_asr.end_of_turn.port import TurnJudge
from vigil_asr.endpoint import EndpointRules
from vigil_asr.recognizers.port import Recognizer
from vigil_asr.voice_activity import Detector, SileroDetector


@dataclass(frozen=True, slots=True)
class Ports:
    """Connections and the engine of a worker, and how it listens. `timeout_s` is how long after somebody stopped to
    speak the engine may take. `judge` is asked about pauses where the rules have them judged."""

    store: SessionStore
    bus: Bus
    placement: Placement
    recognizer: Recognizer
    rules: EndpointRules = field(default_factory=EndpointRules)
    timeout_s: float = 10.0
    least_confidence: float = 0.35
    detector: Callable[[], Detector] = SileroDetector
    judge: TurnJudge | None = None
    now_s: Callable[[], float] = time.monotonic
