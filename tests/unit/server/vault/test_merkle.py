"""The frontier against the recursive definition of RFC 9162 section 2.1.1."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from server.vault.merkle import Frontier, leaf_hash, root_of


def defined_root(entries: list[bytes]) -> bytes:
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    left, right = defined_root(entries[:split]), defined_root(entries[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_root_is_the_defined_one(entries: list[bytes]) -> None:
    assert root_of(entries) == defined_root(entries)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20))
def test_root_of_every_prefix_is_the_defined_one(entries: list[bytes]) -> None:
    frontier = Frontier()
    for size, entry in enumerate(entries, start=1):
        frontier.append(leaf_hash(entry))
        assert frontier.root() == defined_root(entries[:size])


def test_known_roots_of_certificate_transparency() -> None:
    # Vectors of the certificate-transparency reference implementation.
    entries = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]

    assert root_of(entries[:1]).hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert root_of(entries[:2]).hex() == (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )
    assert root_of(entries[:3]).hex() == (
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    )
