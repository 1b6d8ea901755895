"""A commit as the arguments of `commit.lua`."""

from collections.abc import Sequence
from typing import Any

from vigil.runtime.store import record, state_parts
from vigil.runtime.store.bounds import MAX_FRAMES, MAX_LOG, MAX_OUTBOX
from vigil.runtime.store.keys import Part
from vigil.runtime.store.record import Commit


def commit_arguments(fence: int, commit: Commit) -> list[Any]:
    """The arguments of `commit.lua`, in its order."""
    state = commit.state
    turns = state.chunk.turns if commit.restart else tuple(turn for turn in (commit.turn,) if turn is not None)
    parts = state_parts.encode_parts(state, commit.before)
    kept = {frame.uuid for frame in state.chunk.frames} if commit.restart else ()
    return [
        fence,
        commit.id,
        commit.after,
        int(commit.restart),
        commit.published,
        commit.consumed,
        commit.consumed_results,
        MAX_OUTBOX,
        MAX_FRAMES,
        MAX_LOG,
        record.logged(commit.turn) if commit.turn is not None else b"",
        *_counted([piece for part, data in parts.items() for piece in (place(part), data)]),
        *_counted([record.encode(turn) for turn in turns]),
        *_counted(sorted(kept)),
        *_counted([piece for frame in commit.frames for piece in frame]),
        *_counted([record.encode_outgoing(message) for message in commit.outgoing]),
    ]


def place(part: Part) -> int:
    """Where a script finds the part's key."""
    return list(Part).index(part) + 1


def _counted(items: Sequence[Any]) -> list[Any]:
    return [len(items), *items]
