"""What a worker does with a session that it holds: it listens until the session ends."""

from vigil.contract import subjects
from vigil.core.source import Role
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, source_logs
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.follow import follow
from vigil_asr.listening import Listening
from vigil_asr.ports import Ports

CHUNKS = 100  # of 20 to 100 ms: what is older than 2 to 10 s is not heard any more
SPOKEN = 64

log = get_log()


class Hearer:
    """`run` is the claimer's: it ends when the session does, or by being cancelled, or raises and is run again."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def run(self, claim: Claim) -> None:
        """Hear one session until it has ended. Nothing is kept: a worker that takes over hears what is said from then
        on."""
        ports, key = self._ports, claim.key
        async with (
            until_over(ports, key, (Role.ASR,)),
            ports.bus.subscribe(subjects.audio_in(key), CHUNKS) as chunks,
            ports.bus.subscribe(subjects.audio_out(key), SPOKEN) as spoken,
        ):
            await ports.placement.take_up(Role.ASR, claim)
            look = await ports.store.look(key)
            if look.ended is not None:
                return
            with source_logs(look.spec.source.id):
                log.info("hearing began", engine=ports.recognizer.name, fence=claim.fence)
                async with Listening.begun(ports, look.spec) as listening:
                    await first_to_end(
                        listening.hear(chunks), listening.hear_itself(spoken), follow(ports, key, listening.take_up)
                    )
