"""What every run begins with, made once in a process: keys, editions of the catalogue, residents.

Copying a migrated store takes a fraction of making one, and signing the same catalogue for each
seed would tell nothing new.
"""

import contextlib
import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from server.catalogue import downstream, shelf
from server.catalogue import publish as publishing
from server.catalogue.publish import Prepared, Sources, prepared, publish
from server.identity import CentreKeys
from server.store import centre as facts
from server.store import migrate as migrating
from server.store.migrate import migrate
from server.store.sqlite import write_once
from server.vault.keys import VaultKeys
from sync import catalogues, shapes, signing
from sync.clock import SeededEntropy
from sync.database import immediate, open_database
from sync.dictionary import build_dictionary
from sync.forms import Catalogue, decode_catalogue
from sync.manifest import stored_manifest
from sync.pieces import Packed, packed
from sync.records import Attachment, Transaction
from sync.sealing import SealingPublic, generate_sealing_key
from tests.generator import transactions
from tests.simulation.clocks import START_MS, YEAR_MS

#: A few of the shipped services: with and without attachments, a booking, a rating.
SERVICES = (
    "pension_auth",
    "medical_registration",
    "suggestion",
    "appointment",
    "helper_request",
    "rating",
)
POOL_SIZE = 120
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
BALLAST_BYTES = 64 * 1024


class Matter(msgspec.Struct, frozen=True):
    """What a resident comes with; the id is minted at the kiosk."""

    transaction: Transaction
    attachments: tuple[Attachment, ...]


@lru_cache(maxsize=1)
def editions() -> tuple[Prepared, ...]:
    """The catalogue as it is published over time: each edition packs answers differently."""
    raw = json.loads((publishing.SHIPPED / "catalogue.json").read_bytes())
    by_id = {service["id"]: service for service in raw["services"]}
    first = [by_id[name] for name in SERVICES]
    return tuple(
        _edition({**raw, "services": services, "version": version})
        for services, version in (
            (first, "2026.11"),
            ([*first[::-1], by_id["employment"]], "2026.12"),
            ([by_id["farmland_subsidy"], *first[3:], *first[:3]], "2027.1"),
        )
    )


def _edition(raw: dict[str, Any]) -> Prepared:
    shipped = publishing.read_sources("12345")
    villages = "\n".join(shipped.villages.decode("utf-8-sig").splitlines()[:9]).encode()
    return prepared(
        Sources(json.dumps(raw).encode(), villages, shipped.reasons, hotline=shipped.hotline)
    )


@lru_cache(maxsize=1)
def keys() -> tuple[CentreKeys, VaultKeys, bytes]:
    """The centre's keys, its vault's, and the root's private key; never used anywhere else."""
    entropy = SeededEntropy(0)
    root_private, root_public = signing.generate_signing_key(entropy)
    private, public = signing.generate_signing_key(entropy)
    sealing_private, sealing_public = generate_sealing_key(entropy)
    certificate = signing.issue_certificate(
        root_private, public, serial=1, not_after_ms=START_MS + YEAR_MS
    )
    centre = CentreKeys(
        root_public=root_public,
        signing_private=private,
        certificate=certificate,
        sealing=(SealingPublic(key_id=1, raw=sealing_public),),
    )
    return centre, VaultKeys(sealing={1: sealing_private}, index=bytes(32)), root_private


@lru_cache(maxsize=1)
def centre_image() -> bytes:
    """A centre's database after `init` and the first `publish`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "centre.db"
        migrate(path)
        write_once(path, facts.raise_epoch, START_MS)
        write_once(path, publish, keys()[0], editions()[0], START_MS)
        return path.read_bytes()


@lru_cache(maxsize=1)
def kiosk_image() -> bytes:
    """A kiosk's store with the first edition in force, before anybody came."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kiosk.db"
        database = open_database(path, ballast_bytes=0, is_threaded=False)
        first = editions()[0]
        raw = first_manifest()
        manifest = stored_manifest(raw)
        parts = (first.catalogue_raw, first.dictionary_raw, first.villages_raw, first.reasons_raw)
        with immediate(database.conn) as db:
            catalogues.put_in_force(db, raw, dict(zip(manifest.blobs, parts, strict=True)))
        database.close()
        return path.read_bytes()


@lru_cache(maxsize=1)
def first_manifest() -> bytes:
    """The signed manifest of the first edition."""
    import sqlite3

    conn = sqlite3.connect(":memory:")
    conn.deserialize(_without_wal(centre_image()))
    row = conn.execute("SELECT manifest FROM catalogues WHERE version = 1").fetchone()
    conn.close()
    return bytes(row[0])


def _without_wal(image: bytes) -> bytes:
    # Bytes 18 and 19 say "WAL", which a database in memory cannot have.
    return image[:18] + b"\x01\x01" + image[20:]


@lru_cache(maxsize=1)
def matters() -> tuple[Matter, ...]:
    """Made-up residents' matters that every edition can take."""
    catalogue = _catalogue()
    today = dt.date(2026, 11, 24)
    made = transactions(catalogue, 7, today=today, villages=tuple(v.code for v in _villages()[:8]))
    return tuple(Matter(*next(made)) for _ in range(POOL_SIZE))


def _catalogue() -> Catalogue:
    return editions()[0].catalogue


def _villages() -> tuple[Any, ...]:
    return msgspec.json.decode(editions()[0].villages_raw, type=tuple[_Code, ...])


class _Code(msgspec.Struct):
    code: str


@contextlib.contextmanager
def quickened() -> Iterator[None]:
    """Do what only depends on its arguments once in a process: packing, parsing, a signature.

    Nothing of it is looked up by identity, and what fails is done each time. A signature that was
    made in this run needs no proof that it fits; any other one does.
    """
    sign, verify = signing.sign, _once(signing.verify)
    made: set[tuple[bytes, str, bytes, bytes]] = set()

    def signed(private: bytes, purpose: signing.Purpose, raw: bytes) -> bytes:
        signature = sign(private, purpose, raw)
        made.add((signing.public_of(private), purpose, raw, signature))
        return signature

    def verified(public: bytes, purpose: signing.Purpose, raw: bytes, signature: bytes) -> None:
        if (public, purpose, raw, signature) not in made:
            verify(public, purpose, raw, signature)

    quick: tuple[tuple[Any, str, Any], ...] = (
        (downstream, "packed", _packed),
        (catalogues, "build_dictionary", _dictionary),
        (catalogues, "decode_catalogue", _once(decode_catalogue)),
        (shelf, "decode_catalogue", _once(decode_catalogue)),
        (signing, "public_of", _once(signing.public_of)),
        (shapes, "learn", _once(shapes.learn)),
        (migrating, "scripts", _once(migrating.scripts)),
        (signing, "sign", signed),
        (signing, "verify", verified),
    )
    slow = [(module, name, getattr(module, name)) for module, name, _ in quick]
    for module, name, fn in quick:
        setattr(module, name, fn)
    try:
        yield
    finally:
        for module, name, fn in slow:
            setattr(module, name, fn)


_quick: dict[Any, Any] = {}


def _once(fn: Any) -> Any:
    """Answer the function with a memory, the same one in each run of this process."""
    if fn not in _quick:
        _quick[fn] = lru_cache(maxsize=4096)(fn)
    return _quick[fn]


@lru_cache(maxsize=256)
def _packed(raw: bytes, source: bytes | None = None) -> Packed:
    return packed(raw, source)


def _dictionary(catalogue: Catalogue) -> bytes:
    return _built(msgspec.json.encode(catalogue))


@lru_cache(maxsize=16)
def _built(raw: bytes) -> bytes:
    return build_dictionary(decode_catalogue(raw))


def marked(matter: Matter, random: Random) -> tuple[Matter, str]:
    """Put a random word of 16 signs into a text of the matter; "" when it has no text."""
    marker = "".join(random.choices(SIGNS, k=16))
    answers = dict(matter.transaction.answers)
    service = _catalogue().service(matter.transaction.service)
    for question in service.questions:
        value = answers.get(question.id, "")
        if question.type == "text_note" and value:
            answers[question.id] = marker
        elif question.type == "voice_note" and (value.startswith("=") or not value):
            answers[question.id] = "=" + marker
        else:
            continue
        break
    else:
        return matter, ""
    transaction = msgspec.structs.replace(matter.transaction, answers=answers)
    return Matter(transaction, matter.attachments), marker
