"""Sealing keys and the signing certificate: rows 48 to 50."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from server import identity, rotation
from server.cli import centre as command
from server.errors import KeyStillNeeded
from server.settings import Settings
from server.vault import keys as vault_keys
from server.vault.keys import RETIRED
from server.vault.service import Vault
from sync.clock import SeededEntropy
from sync.manifest import stored_manifest
from sync.sealing import generate_sealing_key
from sync.signing import Certificate
from tests.identity.places import Centre, enrolled, started
from tests.unit.server.world import DAY_MS, NOW_MS
from tests.unit.sync.worlds import JumpingClock


def rotated(centre: Centre) -> int:
    """Do what `bianmin centre rotate` does, and let the running vault learn it by itself."""
    world = centre.world
    made = rotation.rotate(world.settings, world.entropy)
    world.keys = identity.load(world.settings)
    world.write(rotation.republished, world.keys, world.clock.ms)
    return made.key_id


def hot(centre: Centre) -> None:
    """Open with a vault that was started before the rotation, as `VaultProcess` makes it."""
    world, vault = centre.world, centre.world.vault
    assert isinstance(vault, Vault)
    vault._reload = lambda: vault_keys.load(world.settings.vault_dir)


async def test_row_48_records_in_flight_open_after_the_rotation_and_new_ones_use_the_new_key(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    hot(centre)
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        in_flight = await kiosk.confirm()
        key_id = rotated(centre)
        centre.is_up = True
        await kiosk.exchange()
        after = await kiosk.confirm()
        await kiosk.exchange()
        assert kiosk.stage.loaded is not None
        seals_to = kiosk.stage.loaded.sealing.key_id

    centre.open_all()
    assert (key_id, seals_to) == (2, 2)
    assert centre.case_nos() == [in_flight.case_no, after.case_no]
    assert centre.fates() == ["case", "case"]


async def test_row_49_kiosk_that_missed_three_rotations_in_a_year_catches_up_in_one_exchange(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    hot(centre)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        before = await kiosk.confirm()
    for _ in range(3):
        centre.world.clock.ms += 122 * DAY_MS
        centre.renew_certificate()
        rotated(centre)
    clock.pass_ms(366 * DAY_MS)
    centre.is_up = True

    async with started(folder, centre, clock, boot=12) as kiosk:
        still_sealed_to_the_old = await kiosk.confirm()
        await kiosk.exchange()
        assert kiosk.stage.loaded is not None
        key_id = kiosk.stage.loaded.sealing.key_id
        after = await kiosk.confirm()
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    receipts = (before, still_sealed_to_the_old, after)
    assert (key_id, left) == (4, 0)
    assert centre.case_nos() == [receipt.case_no for receipt in receipts]


async def test_row_50_renewed_signing_key_is_learnt_and_the_stolen_one_is_worth_nothing_then(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        stolen = centre.world.keys
        centre.renew_certificate()
        await kiosk.exchange()
        renewed, centre.world.keys = centre.world.keys, stolen
        await kiosk.confirm()
        answered_by_thief = await kiosk.exchange()
        waits = kiosk.waiting()
        centre.world.keys = renewed
        answered = await kiosk.exchange()
        left = kiosk.waiting()

    assert (stolen.certificate.serial, renewed.certificate.serial) == (1, 2)
    assert (answered_by_thief.error, waits) == ("reply", 1)
    assert (answered.error, left) == ("", 0)


async def test_row_50_certificate_that_no_root_stands_for_is_no_answer(
    tmp_path: Path, centre: Centre
) -> None:
    folder, world = tmp_path / "kiosk", centre.world
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        held = world.keys.certificate
        forged = Certificate(
            public=held.public,
            serial=held.serial + 1,
            not_after_ms=held.not_after_ms,
            signature=held.signature,
        )
        world.keys = msgspec.structs.replace(world.keys, certificate=forged)
        await kiosk.confirm()
        outcome = await kiosk.exchange()

    assert outcome.error == "reply"


def test_row_50_renewal_that_is_cut_off_leaves_a_key_that_signs(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0)
    root = identity.make(settings, SeededEntropy(1), NOW_MS)
    before = identity.load(settings)
    # What a cut between writing and renaming leaves.
    (settings.keys_dir / "signing.key.new").write_bytes(b"half of a")

    after_cut = identity.load(settings)
    identity.renew(settings, root, SeededEntropy(2), NOW_MS)

    assert after_cut == before
    assert identity.load(settings).certificate.serial == 2


# --- the vault's side of a rotation ---


def test_rotation_that_was_cut_off_is_finished_with_the_same_key(centre: Centre) -> None:
    settings, entropy = centre.world.settings, centre.world.entropy
    private, public = generate_sealing_key(entropy)
    vault_keys.write_secret(settings.vault_dir / "sealing-0002.key", private)

    made = rotation.rotate(settings, entropy)

    assert (made.key_id, made.raw) == (2, public)
    assert [key.key_id for key in identity.load(settings).sealing] == [1, 2]


def test_rotation_keeps_every_key_and_names_all_in_the_manifest(centre: Centre) -> None:
    before = vault_keys.load(centre.world.settings.vault_dir).sealing

    rotated(centre)

    after = vault_keys.load(centre.world.settings.vault_dir).sealing
    row = centre.world.conn.execute(
        "SELECT manifest FROM catalogues ORDER BY version DESC LIMIT 1"
    ).fetchone()
    manifest = stored_manifest(bytes(row[0]))
    assert {**after, **before} == after
    assert [key.key_id for key in manifest.sealing_keys] == [1, 2]
    assert manifest.version == 2


async def test_retiring_is_refused_with_figures_until_nothing_needs_the_key(
    tmp_path: Path, centre: Centre
) -> None:
    folder, world = tmp_path / "kiosk", centre.world
    hot(centre)
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        await kiosk.exchange()
        in_use = rotation.use_of(world.conn, 1)
        rotated(centre)
        early = rotation.use_of(world.conn, 1)
        await kiosk.exchange()
        await kiosk.exchange()
    centre.open_all()
    settled = rotation.use_of(world.conn, 1)
    world.write(lambda c: c.execute("UPDATE cases SET state = 'completed'"))
    decided = rotation.use_of(world.conn, 1)
    year_later_ms = NOW_MS + 365 * DAY_MS

    assert in_use.reasons(NOW_MS)[0].startswith("no higher key")
    assert (early.behind, early.unopened) == ((1,), 1)
    assert (settled.behind, settled.unopened, settled.open_cases) == ((), 0, 1)
    assert decided.reasons(year_later_ms - DAY_MS) == (
        "a higher one is in force for 364 days only, of 365",
    )
    assert decided.reasons(year_later_ms) == ()
    assert decided.closed_cases == 1
    with pytest.raises(KeyStillNeeded, match="1 decided cases could not be read"):
        rotation.retire(world.settings, decided, year_later_ms)

    rotation.retire(world.settings, decided, year_later_ms, is_unreadable_accepted=True)

    assert list(vault_keys.load(world.settings.vault_dir).sealing) == [2]
    assert [key.key_id for key in identity.load(world.settings).sealing] == [2]
    assert (world.settings.vault_dir / RETIRED / "sealing-0001.key").exists()
    assert rotation.rotate(world.settings, world.entropy).key_id == 3
    assert receipt.case_no in centre.case_nos()


@pytest.mark.deep
async def test_kiosk_that_never_called_again_holds_its_key_until_it_is_revoked(
    tmp_path: Path, centre: Centre
) -> None:
    await enrolled(tmp_path / "silent", centre)
    async with started(tmp_path / "silent", centre) as kiosk:
        await kiosk.exchange()
    rotated(centre)

    before = rotation.use_of(centre.world.conn, 1).behind
    centre.revoke(1)
    after = rotation.use_of(centre.world.conn, 1).behind

    assert (before, after) == ((1,), ())


@pytest.mark.deep
def test_commands_rotate_and_retire(tmp_path: Path) -> None:
    data = str(tmp_path / "centre")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, [*arguments, "--data", data])
        return result.exit_code, result.output

    run("init")
    run("publish")
    status, said = run("rotate")
    refused = run("retire", "1")

    assert status == 0
    assert "Sealing key 2 is in the vault and published as version 2." in said
    assert "Back up" in said
    assert refused[0] == 1
    assert "a higher one is in force for 0 days only, of 365" in refused[1]
