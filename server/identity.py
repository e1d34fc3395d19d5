"""Who the centre is: root, signing key with its certificate, and public sealing keys on disk."""

from pathlib import Path

import msgspec

from server.settings import Settings
from server.vault.keys import make as make_vault_keys
from server.vault.keys import write_secret
from sync import limits, signing
from sync.clock import Entropy
from sync.files import write_whole
from sync.sealing import SealingPublic
from sync.settings import SettingRefused
from sync.signing import Certificate

_DAY_MS = 86_400_000


class CentreKeys(msgspec.Struct, frozen=True):
    """What the running centre signs with, and what kiosks seal to."""

    #: Ed25519 public key that kiosks pin, 32 bytes.
    root_public: bytes
    #: Ed25519 private key of replies and manifests, 32 bytes.
    signing_private: bytes
    #: The root's word for the signing key.
    certificate: Certificate
    #: Public sealing keys, rising by number.
    sealing: tuple[SealingPublic, ...]

    def __repr__(self) -> str:
        return f"CentreKeys(certificate={self.certificate.serial})"

    def sign(self, purpose: signing.Purpose, raw: bytes) -> bytes:
        """Sign for one purpose with the certified key."""
        return signing.sign(self.signing_private, purpose, raw)


def is_made(settings: Settings) -> bool:
    """Answer whether `make` ran in this data folder."""
    return (settings.keys_dir / "root.pub").exists()


def make(settings: Settings, entropy: Entropy, now_ms: int) -> Path:
    """Make all keys of a new centre; answer where the root key lies.

    Raises:
        FileExistsError: There are keys already; none is touched.
    """
    keys_dir = settings.keys_dir
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealing_public = make_vault_keys(settings.vault_dir, entropy)
    root_private, root_public = signing.generate_signing_key(entropy)
    root_path = keys_dir / "root.key"
    write_secret(root_path, root_private)
    certify(settings, root_private, entropy, now_ms, serial=1)
    (keys_dir / "sealing-0001.pub").write_bytes(sealing_public)
    # Last, because its presence says that all the others are there.
    (keys_dir / "root.pub").write_bytes(root_public)
    return root_path


def certify(
    settings: Settings, root_private: bytes, entropy: Entropy, now_ms: int, *, serial: int
) -> Certificate:
    """Make a new signing key and let the root stand for it."""
    private, public = signing.generate_signing_key(entropy)
    not_after_ms = now_ms + limits.CERTIFICATE_DAYS * _DAY_MS
    certificate = signing.issue_certificate(
        root_private, public, serial=serial, not_after_ms=not_after_ms
    )
    # In one step: a centre that is cut off here has the old key or the new one.
    write_whole(settings.keys_dir / "signing.key", private + certificate.to_bytes())
    return certificate


def renew(settings: Settings, root_path: Path, entropy: Entropy, now_ms: int) -> Certificate:
    """Replace the signing key with the root's help; kiosks take it with their next exchange.

    Raises:
        SettingRefused: The file is not this centre's root key.
    """
    root_private = root_path.read_bytes()
    held = load(settings)
    if len(root_private) != 32 or signing.public_of(root_private) != held.root_public:
        raise SettingRefused(f"{root_path} is not the root key of this centre")
    return certify(settings, root_private, entropy, now_ms, serial=held.certificate.serial + 1)


def load(settings: Settings) -> CentreKeys:
    """Read the keys that the running centre needs; the root's private key is not among them.

    Raises:
        SettingRefused: The data folder was not set up, or a key file is damaged.
    """
    keys_dir = settings.keys_dir
    if not is_made(settings):
        raise SettingRefused(
            f"no centre is set up in {settings.data_dir}; run `bianmin centre init`"
        )
    raw = (keys_dir / "signing.key").read_bytes()
    if len(raw) != 32 + signing.CERTIFICATE_BYTES:
        raise SettingRefused("keys/signing.key is damaged; run `bianmin centre certify`")
    sealing = tuple(
        SealingPublic(key_id=int(path.stem.removeprefix("sealing-")), raw=path.read_bytes())
        for path in sorted(keys_dir.glob("sealing-*.pub"))
    )
    return CentreKeys(
        root_public=(keys_dir / "root.pub").read_bytes(),
        signing_private=raw[:32],
        certificate=Certificate.from_bytes(raw[32:]),
        sealing=sealing,
    )
