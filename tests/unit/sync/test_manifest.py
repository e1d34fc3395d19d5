"""Manifest and blobs: only what the centre published comes into force."""

from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import catalogues, manifest
from sync.clock import SeededEntropy
from sync.database import immediate
from sync.limits import BLOB_BYTES_MAX, MANIFEST_BYTES_MAX
from sync.manifest import ManifestRefused
from sync.signing import Trust, generate_signing_key, sign
from tests.unit.sync.worlds import EMPTY_CATALOGUE, START_MS, SmallCentre, opened

CENTRE = SmallCentre()
CENTRE.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)


def test_manifest_reads_back() -> None:
    read = manifest.decode_manifest(CENTRE.manifest_raw, CENTRE.trust)

    assert (read.version, read.sealing_keys, read.published_ms) == (3, (CENTRE.sealing,), START_MS)
    assert manifest.stored_manifest(CENTRE.manifest_raw) == read
    assert set(read.blobs) == set(CENTRE.blobs)


def test_no_changed_byte_of_a_manifest_is_believed() -> None:
    raw = CENTRE.manifest_raw
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(ManifestRefused):
            manifest.decode_manifest(changed, CENTRE.trust)


def test_manifest_of_another_root_is_refused() -> None:
    trust = Trust(roots=(generate_signing_key(SeededEntropy(5))[1],))

    with pytest.raises(ManifestRefused):
        manifest.decode_manifest(CENTRE.manifest_raw, trust)


def test_manifest_without_sealing_key_is_refused() -> None:
    empty = msgspec.structs.replace(manifest.stored_manifest(CENTRE.manifest_raw), sealing_keys=())
    signer = partial(sign, CENTRE.signing_private, "manifest")
    raw = manifest.encode_manifest(empty, CENTRE.certificate, signer)

    with pytest.raises(ManifestRefused):
        manifest.decode_manifest(raw, CENTRE.trust)


@given(st.binary(max_size=400))
def test_readers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    for start in (b"", manifest.MANIFEST_MAGIC, CENTRE.manifest_raw[:110]):
        with pytest.raises(ManifestRefused):
            manifest.decode_manifest(start + raw, CENTRE.trust)
    with pytest.raises(ManifestRefused):
        manifest.unpack_blob(raw, "name")


def test_too_long_manifest_is_refused() -> None:
    with pytest.raises(ManifestRefused):
        manifest.decode_manifest(bytes(MANIFEST_BYTES_MAX + 1), CENTRE.trust)


@given(st.binary(max_size=500))
def test_blob_reads_back_under_its_name_only(raw: bytes) -> None:
    packed = manifest.pack_blob(raw)

    assert manifest.unpack_blob(packed, manifest.blob_name(raw)) == raw
    for wrong, name in ((packed, "0" * 64), (packed[:-1], manifest.blob_name(raw))):
        with pytest.raises(ManifestRefused):
            manifest.unpack_blob(wrong, name)


def test_blob_that_swells_beyond_its_bound_is_refused() -> None:
    raw = bytes(BLOB_BYTES_MAX + 1)

    with pytest.raises(ManifestRefused):
        manifest.unpack_blob(manifest.pack_blob(raw), manifest.blob_name(raw))


def test_catalogue_comes_into_force_only_whole(tmp_path: Path) -> None:
    database = opened(tmp_path)
    read = manifest.stored_manifest(CENTRE.manifest_raw)
    partly = {read.catalogue_sha256: CENTRE.blobs[read.catalogue_sha256]}

    with pytest.raises(ManifestRefused), immediate(database.conn) as db:
        catalogues.put_in_force(db, CENTRE.manifest_raw, partly)

    assert catalogues.load_current(database.conn) is None
    with immediate(database.conn) as db:
        catalogues.put_in_force(db, CENTRE.manifest_raw, CENTRE.blobs)
    loaded = catalogues.load_current(database.conn)
    assert loaded is not None
    assert (loaded.catalogue, loaded.hotline) == (EMPTY_CATALOGUE, "0871-0000000")
    assert catalogues.missing_blobs(database.conn, read) == ()


def test_catalogue_that_this_kiosk_cannot_run_does_not_come_into_force(tmp_path: Path) -> None:
    database = opened(tmp_path)
    newer = SmallCentre()
    newer.publish(b'{"schema": "9", "unheard": true}', version=4)

    with pytest.raises(ManifestRefused), immediate(database.conn) as db:
        catalogues.put_in_force(db, newer.manifest_raw, newer.blobs)

    assert catalogues.load_current(database.conn) is None


def test_damaged_blob_in_the_store_counts_as_missing(tmp_path: Path) -> None:
    database = opened(tmp_path)
    with immediate(database.conn) as db:
        catalogues.put_in_force(db, CENTRE.manifest_raw, CENTRE.blobs)
        db.conn.execute("UPDATE blob SET raw = x'00' WHERE raw = ?", (b"words",))

    assert catalogues.load_current(database.conn) is None
