"""`SessionService`: what this worker holds, for people and tools that look into it."""

from collections.abc import Iterator

import grpc

from vigil.v1 import session_pb2, session_pb2_grpc
from vigil_interaction.session import ClaimedSession


class Held:
    """The sessions that run in this process now."""

    def __init__(self) -> None:
        self._sessions: set[ClaimedSession] = set()

    def __iter__(self) -> Iterator[ClaimedSession]:
        return iter(tuple(self._sessions))

    async def run(self, session: ClaimedSession) -> None:
        """Run a session and list it meanwhile."""
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)


class SessionServicer(session_pb2_grpc.SessionServiceServicer):
    """Answers from memory; nothing is read from the store."""

    def __init__(self, worker: str, capacity: int, held: Held) -> None:
        self._worker = worker
        self._capacity = capacity
        self._held = held

    async def ListHeldSessions(  # noqa: N802  the name that gRPC gives it
        self,
        request: session_pb2.ListHeldSessionsRequest,
        context: grpc.aio.ServicerContext[session_pb2.ListHeldSessionsRequest, session_pb2.ListHeldSessionsResponse],
    ) -> session_pb2.ListHeldSessionsResponse:
        """Every session that this worker ticks."""
        sessions = [_status(session) for session in self._held]
        return session_pb2.ListHeldSessionsResponse(worker=self._worker, capacity=self._capacity, sessions=sessions)


def _status(session: ClaimedSession) -> session_pb2.SessionStatus:
    status = session_pb2.SessionStatus(tenant=session.key.tenant, session=session.key.session, fence=session.fence)
    if session.runner is not None:
        state = session.runner.state
        status.next_sequence = state.next_sequence
        status.time_ms = max(0, state.last_time_ms)
        status.turns_in_chunk = len(state.chunk.turns)
        status.engine_error = session.runner.engine_error
    return status
