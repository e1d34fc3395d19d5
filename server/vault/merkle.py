"""Merkle tree hash of a list, as certificate transparency logs use it. Pure.

Source: RFC 9162 section 2.1.1; checked in tests against the recursive definition there.
"""

import hashlib
from collections.abc import Iterable


def leaf_hash(entry: bytes) -> bytes:
    """Answer the hash of one entry: SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Answer the hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the complete subtrees on the right edge: enough to append and to answer."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._edge: list[tuple[int, bytes]] = []
        self.size = 0
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; amortised one inner hash."""
        height, node = 0, leaf
        while self._edge and self._edge[-1][0] == height:
            node = node_hash(self._edge.pop()[1], node)
            height += 1
        self._edge.append((height, node))
        self.size += 1

    def root(self) -> bytes:
        """Answer the tree head; of an empty tree SHA-256 of nothing."""
        if not self._edge:
            return hashlib.sha256(b"").digest()
        node = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            node = node_hash(left, node)
        return node


def root_of(entries: Iterable[bytes]) -> bytes:
    """Answer the tree head over entries.

    >>> root_of([]).hex()[:8]
    'e3b0c442'
    """
    return Frontier(leaf_hash(entry) for entry in entries).root()
