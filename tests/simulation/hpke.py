"""A seal whose ephemeral key a seed decides, so that a run replays to the byte.

RFC 9180 in base mode, written out: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
What it closes opens with the library that production uses; the vectors in the tests say so.
"""

import contextlib
import hashlib
import hmac
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync import sealing

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0020, 0x0001, 0x0003))


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, hashlib.sha256)


def _expand(prk: bytes, suite: bytes, label: bytes, info: bytes, size: int) -> bytes:
    # All that is asked for here fits one block of HKDF.
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", hashlib.sha256)[:size]


_PSK_HASH = _extract(b"", _SUITE, b"psk_id_hash", b"")


def seal(public: bytes, info: bytes, plaintext: bytes, ephemeral: bytes) -> bytes:
    """Close plaintext to a public key: encapsulated key 32, ciphertext, tag 16.

    Args:
        public: X25519 public key of the receiver, 32 bytes.
        info: What is bound in beside the plaintext.
        plaintext: Any bytes.
        ephemeral: Private X25519 key of this one seal, 32 bytes.
    """
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    secret = private.exchange(X25519PublicKey.from_public_bytes(public))
    prk = _extract(b"", _KEM_SUITE, b"eae_prk", secret)
    shared = _expand(prk, _KEM_SUITE, b"shared_secret", enc + public, 32)
    context = b"\x00" + _PSK_HASH + _extract(b"", _SUITE, b"info_hash", info)
    schedule = _extract(shared, _SUITE, b"secret", b"")
    key = _expand(schedule, _SUITE, b"key", context, 32)
    nonce = _expand(schedule, _SUITE, b"base_nonce", context, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, b"")


class SeededSuite:
    """Stands where the library's suite stands: closes by the seed, opens by the library.

    Args:
        draw: Answers the next ephemeral private key, 32 bytes.
        on_open: Called with the public key of whoever opens, before it is opened.
    """

    def __init__(self, draw: Callable[[], bytes], on_open: Callable[[bytes], None]) -> None:
        self._library = sealing._SUITE
        self._opened: dict[tuple[bytes, bytes, bytes], bytes] = {}
        self._draw = draw
        self._on_open = on_open

    def encrypt(self, plaintext: bytes, public_key: X25519PublicKey, info: bytes) -> bytes:
        """Close as the library does, with the seed's key."""
        return seal(public_key.public_bytes_raw(), info, plaintext, self._draw())

    def decrypt(self, ciphertext: bytes, private_key: X25519PrivateKey, info: bytes) -> bytes:
        """Open with the library; what was opened once opens again without its work."""
        public = private_key.public_key().public_bytes_raw()
        self._on_open(public)
        asked = (public, ciphertext, info)
        if asked not in self._opened:
            self._opened[asked] = bytes(self._library.decrypt(ciphertext, private_key, info=info))
        return self._opened[asked]


@contextlib.contextmanager
def seeded(draw: Callable[[], bytes], on_open: Callable[[bytes], None]) -> Iterator[None]:
    """Let every seal within take its ephemeral key from `draw`."""
    library = sealing._SUITE
    sealing._SUITE = SeededSuite(draw, on_open)  # type: ignore[assignment]
    try:
        yield
    finally:
        sealing._SUITE = library
