"""Rendezvous hashing: every key ranks all nodes in an order of its own (Thaler and Ravishankar, 1998).

When a node goes away, only the keys that rank it first move, each to the node that it ranks next. When the node is
back, those keys return. No other key moves.
"""

import hashlib
from collections.abc import Iterable


def ranked(key: str, nodes: Iterable[str]) -> tuple[str, ...]:
    """`nodes` in the order in which `key` prefers them; the same in every process."""
    return tuple(sorted(nodes, key=lambda node: (_weight(key, node), node), reverse=True))


def _weight(key: str, node: str) -> bytes:
    return hashlib.blake2b(f"{key}\n{node}".encode(), digest_size=8).digest()
