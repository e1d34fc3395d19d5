"""Publishing: check the catalogue, sign the next version, keep its blobs for the kiosks."""

import csv
import io
import sqlite3
from pathlib import Path

import msgspec

from server.catalogue import checks
from server.errors import CatalogueRefused
from server.identity import CentreKeys
from server.store import catalogues, centre, outcomes
from server.store.catalogues import CatalogueRow
from sync import limits
from sync.dictionary import build_dictionary
from sync.errors import MALFORMED
from sync.forms import Catalogue, Village, decode_catalogue
from sync.manifest import Manifest, blob_name, encode_manifest, stored_manifest

SHIPPED = Path(__file__).parent


class Sources(msgspec.Struct, frozen=True):
    """What an operator brings to publish, as read from disk."""

    catalogue: bytes
    #: CSV with the columns code, name_zh, name_en.
    villages: bytes
    #: JSON object: reason code → text by language.
    reasons: bytes
    hotline: str


class Prepared(msgspec.Struct, frozen=True):
    """What was checked and is ready to be signed."""

    catalogue: Catalogue
    catalogue_raw: bytes
    dictionary_raw: bytes
    villages_raw: bytes
    reasons_raw: bytes
    hotline: str


class Outcome(msgspec.Struct, frozen=True):
    """Which version is in force now, and whether it is a new one."""

    version: int
    is_new: bool
    services: int


def read_sources(
    hotline: str,
    catalogue: Path | None = None,
    villages: Path | None = None,
    reasons: Path | None = None,
) -> Sources:
    """Read the files to publish; what is not given is taken from what we ship."""
    return Sources(
        catalogue=(catalogue or SHIPPED / "catalogue.json").read_bytes(),
        villages=(villages or SHIPPED / "villages.csv").read_bytes(),
        reasons=(reasons or SHIPPED / "reasons.json").read_bytes(),
        hotline=hotline,
    )


def prepared(sources: Sources) -> Prepared:
    """Check everything; answer what can be signed. Pure.

    Raises:
        CatalogueRefused: The message names each fault by its place, one a line.
    """
    try:
        catalogue = decode_catalogue(sources.catalogue)
    except MALFORMED as error:
        raise CatalogueRefused(f"catalogue: {error}") from error
    villages = _villages(sources.villages)
    reasons = _reasons(sources.reasons, catalogue.languages)
    found = [*checks.faults(catalogue), *checks.village_faults(villages)]
    if found:
        shown = found[: limits.PUBLISH_PROBLEMS_MAX]
        more = f"\n… and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
        raise CatalogueRefused("\n".join(shown) + more)
    # Written anew, so that a file that only differs in spaces is the same version.
    ready = Prepared(
        catalogue=catalogue,
        catalogue_raw=msgspec.json.encode(catalogue, order="deterministic"),
        dictionary_raw=build_dictionary(catalogue),
        villages_raw=msgspec.json.encode(villages, order="deterministic"),
        reasons_raw=msgspec.json.encode(reasons, order="deterministic"),
        hotline=sources.hotline,
    )
    for name, raw in (
        ("catalogue", ready.catalogue_raw),
        ("villages", ready.villages_raw),
        ("reasons", ready.reasons_raw),
    ):
        if len(raw) > limits.BLOB_BYTES_MAX:
            raise CatalogueRefused(f"{name}: more than {limits.BLOB_BYTES_MAX} bytes for a kiosk")
    return ready


def _villages(raw: bytes) -> list[Village]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogueRefused("villages: the file is not UTF-8") from error
    rows = csv.DictReader(io.StringIO(text))
    if not {"code", "name_zh", "name_en"} <= set(rows.fieldnames or ()):
        raise CatalogueRefused("villages: the columns are code, name_zh and name_en")
    return [
        Village(code=row["code"], name={"zh-CN": row["name_zh"], "en": row["name_en"]})
        for row in rows
    ]


def _reasons(raw: bytes, languages: tuple[str, ...]) -> dict[str, dict[str, str]]:
    try:
        reasons = msgspec.json.decode(raw, type=dict[str, dict[str, str]])
    except MALFORMED as error:
        raise CatalogueRefused(f"reasons: {error}") from error
    missing = [
        f"reasons.{code}: no text in {language}"
        for code, text in reasons.items()
        for language in languages
        if not text.get(language)
    ]
    if missing:
        raise CatalogueRefused("\n".join(missing))
    return reasons


def publish(conn: sqlite3.Connection, keys: CentreKeys, ready: Prepared, now_ms: int) -> Outcome:
    """Sign and store the next version; the same content again changes nothing.

    Kiosks fetch it with their next exchange; transactions begun with an older one stay valid.
    The first one after a restore skips numbers, even with the same content: versions that were
    lost are still in force on kiosks, their answers must never be read by another form, and no
    kiosk goes back to a lower number. Nor is a number taken that a kiosk or an envelope has
    spoken of, whether or not anybody said that this database was restored.
    """
    latest = catalogues.latest(conn)
    is_restored = _is_behind(conn, latest)
    blobs = {
        blob_name(raw): raw
        for raw in (
            ready.catalogue_raw,
            ready.dictionary_raw,
            ready.villages_raw,
            ready.reasons_raw,
        )
    }
    manifest = Manifest(
        version=next_version(conn, now_ms),
        catalogue_sha256=blob_name(ready.catalogue_raw),
        dictionary_sha256=blob_name(ready.dictionary_raw),
        villages_sha256=blob_name(ready.villages_raw),
        reasons_sha256=blob_name(ready.reasons_raw),
        hotline=ready.hotline,
        sealing_keys=keys.sealing,
        published_ms=now_ms,
    )
    services = len(ready.catalogue.services)
    # Also where nothing is new: this mends what the disk has damaged.
    has_come = [catalogues.add_blob(conn, name, raw) for name, raw in blobs.items()]
    if any(has_come):
        outcomes.release(conn, outcomes.AWAITS_BLOBS)
    if latest is not None and not is_restored and _is_same(latest.manifest, manifest, keys):
        return Outcome(version=latest.version, is_new=False, services=services)
    signed = encode_manifest(manifest, keys.certificate, lambda part: keys.sign("manifest", part))
    catalogues.add_version(
        conn,
        CatalogueRow(
            version=manifest.version,
            manifest=signed,
            catalogue_sha256=manifest.catalogue_sha256,
            dictionary_sha256=manifest.dictionary_sha256,
            villages_sha256=manifest.villages_sha256,
            reasons_sha256=manifest.reasons_sha256,
            hotline=manifest.hotline,
            published_ms=now_ms,
        ),
    )
    return Outcome(version=manifest.version, is_new=True, services=services)


def _is_behind(conn: sqlite3.Connection, latest: CatalogueRow | None) -> bool:
    """Answer whether versions were published that this database has lost, or may have been."""
    if latest is None:
        return False
    is_restored = latest.published_ms < centre.epoch(conn) * 1000
    return is_restored or catalogues.highest_known(conn) > latest.version


def next_version(conn: sqlite3.Connection, now_ms: int) -> int:
    """Answer the number of the version that is published next.

    One for each minute since the newest one here is passed over. So a database that was put back
    gives no number again, though nobody has told it of what it lost: whatever was published since
    the backup was published earlier.

    Source: docs/decisions/0018-a-catalogues-number-tells-the-time.md
    """
    latest = catalogues.latest(conn)
    since_ms = 0 if latest is None else max(0, now_ms - latest.published_ms)
    step = limits.CATALOGUE_VERSION_GAP if _is_behind(conn, latest) else 1
    return catalogues.highest_known(conn) + step + since_ms // limits.CATALOGUE_VERSION_MS


def _is_same(stored: bytes, new: Manifest, keys: CentreKeys) -> bool:
    """Answer whether publishing would only raise the number.

    After a change of the signing key the same content is signed anew: kiosks that know the new
    key no longer believe the old one.
    """
    old = stored_manifest(stored)
    renumbered = msgspec.structs.replace(old, version=new.version, published_ms=new.published_ms)
    return renumbered == new and keys.certificate.to_bytes() in stored
