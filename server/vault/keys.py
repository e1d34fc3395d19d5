"""The vault's own keys on disk: private sealing keys and the key of the blind index."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from server.errors import VaultUnavailable
from sync.clock import Entropy
from sync.identity import normalise_id_number
from sync.sealing import generate_sealing_key

INDEX_NAME = "index.key"
RETIRED = "retired"
"""Folder of keys that the vault no longer opens with (`server.rotation`)."""
TAG_BYTES = 16


class VaultKeys(msgspec.Struct, frozen=True):
    """What only the vault's process holds."""

    #: Private X25519 keys by number; several during a rotation.
    sealing: Mapping[int, bytes]
    #: Key of the blind index, 32 bytes.
    index: bytes

    def __repr__(self) -> str:
        return f"VaultKeys(sealing={sorted(self.sealing)})"


def write_secret(path: Path, raw: bytes) -> None:
    """Write a key file that its owner alone can read; refuse to overwrite one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def make(folder: Path, entropy: Entropy, key_id: int = 1) -> bytes:
    """Make the first sealing key and the index key; answer the public sealing key.

    Raises:
        FileExistsError: There are keys already; none is touched.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private, public = generate_sealing_key(entropy)
    write_secret(folder / f"sealing-{key_id:04d}.key", private)
    write_secret(folder / INDEX_NAME, entropy.token_bytes(32))
    return public


def load(folder: Path) -> VaultKeys:
    """Read the keys.

    Raises:
        VaultUnavailable: One is missing, damaged, or readable by others.
    """
    sealing = {}
    for path in sorted(folder.glob("sealing-*.key")):
        sealing[int(path.stem.removeprefix("sealing-"))] = _secret(path)
    if not sealing:
        raise VaultUnavailable(f"no sealing key in {folder}; run `bianmin centre init` first")
    return VaultKeys(sealing=sealing, index=_secret(folder / INDEX_NAME))


def _secret(path: Path) -> bytes:
    try:
        is_open_to_others = path.stat().st_mode & 0o077
        raw = path.read_bytes()
    except OSError as error:
        raise VaultUnavailable(f"the key file {path.name} cannot be read") from error
    if is_open_to_others:
        raise VaultUnavailable(f"others can read {path.name}; run chmod 600 on it, then rotate it")
    if len(raw) != 32:
        raise VaultUnavailable(f"the key file {path.name} is damaged; restore its backup")
    return raw


def index_tag(keys: VaultKeys, id_number: str) -> bytes:
    """Answer the blind tag of an ID number: equal numbers have equal tags, and no more is said.

    HMAC, because an ID number has about 36 bits: a bare hash is enumerated in minutes.
    Source: research/sync-reliability-security.md section 6.6.
    """
    text = b"bianmin/1/id_number" + normalise_id_number(id_number).encode()
    return hmac.digest(keys.index, text, hashlib.sha256)[:TAG_BYTES]
