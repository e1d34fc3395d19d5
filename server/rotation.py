"""Changing the sealing key: a new number beside the old ones, and when an old one may go.

Kiosks seal to the highest number of the manifest in force. The vault opens by the number in an
envelope's header, so every key stays until nothing sealed to it can still come, and nothing that
somebody may still have to read is sealed to it.
"""

import sqlite3
from pathlib import Path

import msgspec

from server import identity
from server.catalogue.publish import next_version
from server.errors import KeyStillNeeded
from server.identity import CentreKeys
from server.settings import Settings
from server.store import catalogues
from server.vault.keys import RETIRED
from sync.clock import Entropy
from sync.errors import MALFORMED
from sync.files import sync_directory, write_whole
from sync.manifest import encode_manifest, stored_manifest
from sync.octets import Reader, WireError
from sync.sealing import SealingPublic, generate_sealing_key, public_of_sealing
from sync.settings import SettingRefused
from sync.wire import read_header

KEY_KEPT_DAYS = 365  # a kiosk may sleep through a year; research section 2, fault 48
_DAY_MS = 86_400_000


class KeyUse(msgspec.Struct, frozen=True):
    """What still speaks for keeping a sealing key."""

    key_id: int
    #: Centre's clock when a higher key was first published, Unix ms; 0 = never.
    superseded_ms: int
    #: Numbers of kiosks that may still send something sealed to it.
    behind: tuple[int, ...]
    #: Envelopes sealed to it that are not opened: waiting, dead letters, in quarantine.
    unopened: int
    #: Cases sealed to it on which somebody has still to decide.
    open_cases: int
    #: Decided cases that nobody could read any more without it.
    closed_cases: int

    def reasons(self, now_ms: int) -> tuple[str, ...]:
        """Answer why it must stay, with figures; () when it may go."""
        days = (now_ms - self.superseded_ms) // _DAY_MS
        found = []
        if not self.superseded_ms:
            found.append("no higher key was ever published: it is the one in use")
        elif days < KEY_KEPT_DAYS:
            found.append(f"a higher one is in force for {days} days only, of {KEY_KEPT_DAYS}")
        if self.behind:
            shown = ", ".join(map(str, self.behind[:20]))
            more = f" and {len(self.behind) - 20} more" if len(self.behind) > 20 else ""
            found.append(
                f"{len(self.behind)} kiosks have not settled past it: {shown}{more} "
                "(revoke those that are gone)"
            )
        if self.unopened:
            found.append(f"{self.unopened} envelopes sealed to it are not opened")
        if self.open_cases:
            found.append(f"{self.open_cases} cases sealed to it are not decided")
        return tuple(found)


def rotate(settings: Settings, entropy: Entropy) -> SealingPublic:
    """Make the next sealing key; publish afterwards (`republished`), and back the vault up.

    The vault has the private key before anybody can learn the public one. Cut off in between,
    the next call finishes it with the same key.

    Raises:
        SettingRefused: The data folder was not set up.
        OSError: Vault or keys folder cannot be written.
    """
    held = identity.load(settings).sealing
    private_ids = [*_ids(settings.vault_dir), *_ids(settings.vault_dir / RETIRED)]
    public_ids = [key.key_id for key in held] + _ids(settings.keys_dir / RETIRED)
    number = max(private_ids)
    if number in public_ids:
        number += 1
        private, _ = generate_sealing_key(entropy)
        write_whole(settings.vault_dir / f"sealing-{number:04d}.key", private)
    private = (settings.vault_dir / f"sealing-{number:04d}.key").read_bytes()
    made = SealingPublic(key_id=number, raw=public_of_sealing(private))
    write_whole(settings.keys_dir / f"sealing-{number:04d}.pub", made.raw)
    return made


def _ids(folder: Path) -> list[int]:
    names = [*folder.glob("sealing-*.key"), *folder.glob("sealing-*.pub")]
    return [int(path.stem.removeprefix("sealing-")) for path in names]


def republished(conn: sqlite3.Connection, keys: CentreKeys, now_ms: int) -> int | None:
    """Sign the catalogue in force once more, with the present keys; answer its new version.

    The same again is no new version. None = nothing was published yet.
    """
    latest = catalogues.latest(conn)
    if latest is None:
        return None
    old = stored_manifest(latest.manifest)
    if old.sealing_keys == keys.sealing and keys.certificate.to_bytes() in latest.manifest:
        return latest.version
    fresh = msgspec.structs.replace(
        old, version=next_version(conn, now_ms), sealing_keys=keys.sealing, published_ms=now_ms
    )
    signed = encode_manifest(fresh, keys.certificate, lambda part: keys.sign("manifest", part))
    catalogues.add_version(
        conn,
        msgspec.structs.replace(
            latest, version=fresh.version, manifest=signed, published_ms=now_ms
        ),
    )
    return fresh.version


def use_of(conn: sqlite3.Connection, key_id: int) -> KeyUse:
    """Answer what still speaks for keeping a key; reads every envelope's header."""
    conn.create_function("key_of", 1, _key_of, deterministic=True)
    version, superseded_ms = _superseded(conn, key_id)
    (unopened,) = conn.execute(
        "SELECT count(*) FROM envelopes e LEFT JOIN reviews r ON r.envelope_id = e.id "
        "WHERE (e.fate IN ('waiting', 'dead') OR e.fate = 'quarantined' AND r.verdict IS NULL) "
        "AND key_of(e.raw) = ?",
        (key_id,),
    ).fetchone()
    is_open = "c.state IN ('received', 'accepted', 'correction')"
    open_cases, closed_cases = conn.execute(
        f"SELECT coalesce(sum({is_open}), 0), coalesce(sum(NOT {is_open}), 0) FROM cases c "  # noqa: S608 -- a constant
        "WHERE c.envelope_id IN (SELECT id FROM envelopes WHERE key_of(raw) = ?1) "
        "OR c.case_no IN (SELECT case_no FROM corrections JOIN envelopes ON id = envelope_id "
        "WHERE key_of(raw) = ?1)",
        (key_id,),
    ).fetchone()
    return KeyUse(
        key_id=key_id,
        superseded_ms=superseded_ms,
        behind=_behind(conn, version),
        unopened=unopened,
        open_cases=open_cases,
        closed_cases=closed_cases,
    )


def _key_of(raw: bytes) -> int:
    try:
        return read_header(Reader(raw)).key_id
    except WireError:
        return 0


def _superseded(conn: sqlite3.Connection, key_id: int) -> tuple[int, int]:
    """Answer the first version whose newest key is higher, and when it was published."""
    for version, manifest, published_ms in conn.execute(
        "SELECT version, manifest, published_ms FROM catalogues ORDER BY version"
    ):
        try:
            keys = stored_manifest(manifest).sealing_keys
        except (WireError, *MALFORMED):
            continue
        if max(key.key_id for key in keys) > key_id:
            return int(version), int(published_ms)
    return 0, 0


def _behind(conn: sqlite3.Connection, version: int) -> tuple[int, ...]:
    """Answer the kiosks that may hold something sealed to a key that this version replaced.

    A kiosk is past it when it said in an exchange that it runs that version and that nothing
    waits. A former identity fetches no catalogue, and makes no new envelope either: for it
    nothing waiting is enough. What a revoked kiosk holds is lost with its own decision.
    """
    rows = conn.execute(
        "SELECT k.kiosk_no FROM kiosks k WHERE k.state != 'revoked' AND NOT (k.last_seen_ms > 0 "
        "AND k.pending = 0 AND k.attachments_pending = 0 AND k.head_seq <= (SELECT "
        "coalesce(max(e.seq), 0) FROM envelopes e WHERE e.kiosk_id = k.kiosk_id) "
        "AND (?1 > 0 AND k.catalogue >= ?1 OR k.replaced_by IS NOT NULL)) ORDER BY k.kiosk_no",
        (version,),
    )
    return tuple(int(row[0]) for row in rows)


def retire(
    settings: Settings, use: KeyUse, now_ms: int, *, is_unreadable_accepted: bool = False
) -> None:
    """Take a key out of the vault's reach: it lies in `vault/retired` until somebody shreds it.

    Restart the centre afterwards; the manifest no longer names it (`republished`).

    Args:
        settings: Where the keys lie.
        use: From `use_of`, of this moment.
        now_ms: Centre's clock.
        is_unreadable_accepted: Decided cases may become unreadable.

    Raises:
        KeyStillNeeded: With every reason and its figures.
        SettingRefused: The vault has no key of that number.
    """
    reasons = list(use.reasons(now_ms))
    if use.closed_cases and not is_unreadable_accepted:
        reasons.append(
            f"{use.closed_cases} decided cases could not be read any more "
            "(--unreadable-accepted when their time is over)"
        )
    if reasons:
        raise KeyStillNeeded(f"sealing key {use.key_id} stays: " + "; ".join(reasons))
    name = f"sealing-{use.key_id:04d}"
    if not (settings.vault_dir / f"{name}.key").exists():
        raise SettingRefused(f"the vault has no sealing key {use.key_id}")
    # The public one first: nobody may be told to seal to a key that the vault lacks.
    for folder, suffix in ((settings.keys_dir, ".pub"), (settings.vault_dir, ".key")):
        source, target = folder / f"{name}{suffix}", folder / RETIRED
        if source.exists():
            target.mkdir(mode=0o700, exist_ok=True)
            source.rename(target / source.name)
            sync_directory(target)
            sync_directory(folder)
