"""What people do to cards, backups, keys and catalogues; and what strangers send."""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from server.store import catalogues, fleet
from server.store import centre as facts
from server.store.sqlite import connect
from sync import frames, signing
from sync.clock import SeededEntropy
from sync.records import Envelope, Health
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys
from sync.transports import EXCHANGE_PATH, LinkDown
from sync.wire import FIRST_PREV, envelope_bytes, envelope_hash
from tests.simulation import invariants, scenery
from tests.simulation.centre import DATABASE, LEDGER, Centre
from tests.simulation.clocks import START_MS, YEAR_MS, SimClock
from tests.simulation.disk import Snapshot
from tests.simulation.kiosk import Card
from tests.simulation.misfortune import HOUR_S, Befall, a_kiosk

if TYPE_CHECKING:
    from tests.simulation.world import World

MACHINES_MAX = 6


# --- cards


async def _clone(world: "World", random: Random) -> None:
    """Somebody copies a card and runs it in a second machine."""
    kiosk = a_kiosk(world, random)
    if kiosk is None or len(world.kiosks) >= MACHINES_MAX:
        return
    card = kiosk.card.clone(world.luck(f"{kiosk.name} copy {len(world.kiosks)}"))
    name = f"{kiosk.name} twin"
    twin = world.machine(name, Card(card, kiosk.keys, kiosk.identity), world.luck(name))
    world.doubt(kiosk.keys.kiosk_id)
    world.trace.note(kiosk.name, "has a twin now")
    twin.boot()


async def _old_image(world: "World", random: Random) -> None:
    """Somebody helps a kiosk with an image of its card that was taken a while ago."""
    kiosk = a_kiosk(world, random)
    if kiosk is None:
        return
    image = kiosk.card.snapshot()
    world.trace.note(kiosk.name, "is copied to an image")
    await asyncio.sleep(world.plan.span_s * random.random() / 3)
    invariants.no_receipted_transaction_is_lost(world)
    kiosk.down(is_power=False)
    kiosk.card.restore(image)
    world.trace.note(kiosk.name, "is set back to the image")
    world.doubt(kiosk.keys.kiosk_id)
    world.count_destroyed()


# --- the centre


async def _centre_restored(world: "World", random: Random) -> None:
    """The centre's machine is lost, and a backup of its database takes its place."""
    centre = world.centre
    if not centre.is_on:
        return
    backup = centre.disk.snapshot()
    world.trace.note(centre.name, "is backed up")
    await asyncio.sleep(world.plan.span_s * random.random() / 3)
    invariants.no_receipted_transaction_is_lost(world)
    is_second = world.plan.has("second_centre") and world.old_centre is None and centre.is_on
    if is_second:
        world.old_centre = _second(world, centre)
    put_back(world, centre, backup)
    if random.random() < 0.3:
        # The operator forgets the command; kiosks see an older epoch and wait.
        centre.boot()
        await asyncio.sleep(random.random() * HOUR_S)
        centre.down(is_power=False)
    await restored(world, centre)
    if is_second and world.old_centre is not None:
        world.old_centre.boot()
        world.trace.note("old centre", "still answers")


def put_back(world: "World", centre: Centre, backup: Snapshot) -> None:
    """Put a backup of the database in place of what there is; the ledger is kept elsewhere."""
    centre.down(is_power=True)
    _note_lost(world, centre)
    present = centre.disk.snapshot().files
    files = {name: raw for name, raw in present.items() if str(LEDGER) in name}
    files |= {name: raw for name, raw in backup.files.items() if str(DATABASE) in name}
    centre.disk.restore(Snapshot(files, dict.fromkeys(files, 0)))
    world.trace.note(centre.name, "is restored from the backup")
    world.is_epoch_due = True
    _revoked_again(world, centre)


def _note_lost(world: "World", centre: Centre) -> None:
    centre.disk.heal()
    conn = connect(DATABASE, readonly=True, disk=centre.disk.process("judge"))
    envelopes = conn.execute("SELECT raw FROM envelopes").fetchall()
    photos = conn.execute("SELECT sealed FROM attachments WHERE completed_ms IS NOT NULL")
    world.lost_in_restore |= {bytes(row[0]) for row in envelopes}
    world.lost_photos |= {bytes(row[0]) for row in photos.fetchall()}
    conn.close()


def _revoked_again(world: "World", centre: Centre) -> None:
    """Enter what a backup does not know: the operator keeps a list of stolen kiosks."""
    centre.disk.heal()
    conn = connect(DATABASE, readonly=False, disk=centre.disk.process("centre"))
    for kiosk_id in world.record.revoked:
        fleet.revoke(conn, kiosk_id.hex())
    conn.close()


async def restored(world: "World", centre: Centre) -> None:
    """Do what `bianmin centre restored` and `run` do, and bring the published editions back."""
    centre.disk.heal()
    conn = connect(DATABASE, readonly=False, disk=centre.disk.process("centre"))
    conn.execute("BEGIN IMMEDIATE")
    epoch = facts.raise_epoch(conn, centre.clock.now_ms())
    conn.execute("COMMIT")
    conn.close()
    world.trace.note(centre.name, f"begins epoch {epoch}")
    world.epoch = epoch
    world.is_epoch_due = False
    centre.boot()
    world.count_destroyed()
    await world.people.done(centre, _published_again(world, centre))


async def _published_again(world: "World", centre: Centre) -> None:
    for row, blobs in world.publications:
        if await centre.store.read(catalogues.of_version, row.version) is None:
            await centre.store.write(_kept_version, row, blobs)
    centre.pipeline.poke()


def _kept_version(conn: Any, row: catalogues.CatalogueRow, blobs: dict[str, bytes]) -> None:
    for name, raw in blobs.items():
        catalogues.add_blob(conn, name, raw)
    catalogues.add_version(conn, row)


def _second(world: "World", centre: Centre) -> Centre:
    disk = centre.disk.clone(world.luck("old centre disk"))
    clock = SimClock(world.loop.time)
    return Centre(
        "old centre",
        disk,
        centre.keys,
        centre.vault_keys,
        clock,
        world.luck("old centre"),
        world.trace,
        world.on_defect,
    )


# --- keys and catalogues


async def _sealing_key(world: "World", _: Random) -> None:
    """A new sealing key: first into the vault, then to the kiosks; the old one stays."""
    centre = world.centre
    number = max(centre.vault_keys.sealing) + 1
    private, public = generate_sealing_key(SeededEntropy(world.plan.seed * 100 + number))
    centre.vault_keys = msgspec.structs.replace(
        centre.vault_keys, sealing={**centre.vault_keys.sealing, number: private}
    )
    world.record.centre_keys.add(public)
    sealing = (*centre.keys.sealing, SealingPublic(key_id=number, raw=public))
    centre.keys = msgspec.structs.replace(centre.keys, sealing=sealing)
    world.trace.note(centre.name, f"has sealing key {number}")
    await _restarted_and_published(world, centre)


async def _certificate(world: "World", _: Random) -> None:
    """A new signing key, certified by the root."""
    centre = world.centre
    serial = centre.keys.certificate.serial + 1
    entropy = SeededEntropy(world.plan.seed * 100 + 50 + serial)
    private, public = signing.generate_signing_key(entropy)
    certificate = signing.issue_certificate(
        scenery.keys()[2], public, serial=serial, not_after_ms=START_MS + YEAR_MS
    )
    centre.keys = msgspec.structs.replace(
        centre.keys, signing_private=private, certificate=certificate
    )
    world.trace.note(centre.name, f"has certificate {serial}")
    await _restarted_and_published(world, centre)


async def _restarted_and_published(world: "World", centre: Centre) -> None:
    if centre.is_on:
        centre.down(is_power=False)
    await asyncio.sleep(60)
    centre.boot()
    await world.people.done(centre, world.people.publish(centre, world.edition))


async def _publish(world: "World", random: Random) -> None:
    world.edition = random.randrange(len(scenery.editions()))
    await world.people.done(world.centre, world.people.publish(world.centre, world.edition))


async def _old_manifest(world: "World", random: Random) -> None:
    """Somebody on the way answers with a catalogue that was in force once."""
    world.network.is_manifest_replayed = True
    await asyncio.sleep(random.random() * 4 * HOUR_S)
    world.network.is_manifest_replayed = False


# --- revocation


async def _revoked(world: "World", random: Random) -> None:
    """A kiosk is reported stolen, with what it has not delivered."""
    kiosk = a_kiosk(world, random)
    active = [k for k in world.kiosks if k.keys.kiosk_id not in world.record.revoked]
    if kiosk is None or len(active) < 2 or kiosk not in active:
        return
    await world.people.done(
        world.centre, world.centre.store.write(revoked_now, kiosk.keys.kiosk_id)
    )
    note_revoked(world)


def note_revoked(world: "World") -> None:
    """Note what was revoked, whether or not the operator heard that it was: see the disk."""
    if not world.centre.is_on:
        return
    rows = world.conn.execute("SELECT kiosk_id FROM kiosks WHERE state = 'revoked'").fetchall()
    for (kiosk_id,) in rows:
        if kiosk_id in world.record.revoked:
            continue
        name = next((k.name for k in world.kiosks if k.keys.kiosk_id == kiosk_id), "a kiosk")
        world.trace.note("operator", f"has revoked {name}")
        envelopes = world.conn.execute(
            "SELECT raw FROM envelopes WHERE kiosk_id = ? AND fate != 'quarantined'", (kiosk_id,)
        ).fetchall()
        photos = world.conn.execute(
            "SELECT seq, idx, digest FROM attachments WHERE kiosk_id = ?", (kiosk_id,)
        ).fetchall()
        world.record.revoked[kiosk_id] = {bytes(row[0]) for row in envelopes}
        world.record.revoked_photos[kiosk_id] = {tuple(row) for row in photos}


def revoked_now(conn: Any, kiosk_id: bytes) -> None:
    """Revoke a kiosk at the centre."""
    fleet.revoke(conn, kiosk_id.hex())


# --- strangers


async def _replayed_request(world: "World", random: Random) -> None:
    """Somebody who listened sends an old request once more."""
    if world.network.requests:
        path, body = random.choice(world.network.requests)
        await _sent(world, "a stranger", path, body)


async def _foreign_body(world: "World", random: Random) -> None:
    """A kiosk of ours whose key was stolen signs what another one sealed."""
    rogue = await _rogue(world)
    seen = [
        envelope
        for _, body in world.network.requests
        for envelope in frames.decode_request(body).request.envelopes
        if envelope.header.kiosk_id != rogue.kiosk_id
    ]
    if not seen:
        return
    victim = random.choice(seen)
    header = msgspec.structs.replace(
        victim.header, kiosk_id=rogue.kiosk_id, seq=len(world.rogue_chain) + 1, prev=_last(world)
    )
    forged = Envelope(header, victim.sealed)
    world.rogue_chain.append(forged)
    world.record.forged.add(envelope_bytes(forged))
    await _sent(world, "a thief", EXCHANGE_PATH, _signed(world, rogue, envelopes=(forged,)))


async def _stray_chunks(world: "World", random: Random) -> None:
    """Pieces of attachments come for which there is no transaction."""
    rogue = await _rogue(world)
    data = random.randbytes(random.randrange(1, 400))
    chunk = frames.Chunk(
        seq=random.randint(1, 50), index=0, total=500, digest=bytes(16), offset=0, data=data
    )
    await _sent(world, "a thief", EXCHANGE_PATH, _signed(world, rogue, chunks=(chunk,)))


async def _rogue(world: "World") -> DeviceKeys:
    if world.rogue is None:
        world.rogue = DeviceKeys.generate(SeededEntropy(world.plan.seed))
        world.record.doubled.add(world.rogue.kiosk_id)
        await world.people.done(world.centre, world.admit(world.rogue, "stolen kiosk"))
    return world.rogue


def _last(world: "World") -> bytes:
    return envelope_hash(world.rogue_chain[-1]) if world.rogue_chain else FIRST_PREV


def _signed(world: "World", keys: DeviceKeys, **content: Any) -> bytes:
    world.rogue_counter += 1
    request = frames.Request(
        kiosk_id=keys.kiosk_id,
        counter=world.rogue_counter,
        boot_id=b"evil",
        now_ms=START_MS,
        monotonic_ms=0,
        epoch=0,
        head_seq=len(world.rogue_chain),
        head_hash=_last(world),
        cursor=0,
        catalogue=1,
        certificate=0,
        health=Health(version="evil", pending=0, oldest_s=0, disk_free_mb=0),
        **content,
    )
    return frames.encode_request(request, lambda part: keys.sign("request", part))


async def _sent(world: "World", who: str, path: str, body: bytes) -> None:
    try:
        answer = await world.network.reach("POST", path, body)
    except LinkDown:
        return
    world.trace.note(who, f"sends {len(body)} bytes: {answer.status}")


EVENTS: dict[str, Befall] = {
    "clone": _clone,
    "old_image": _old_image,
    "centre_restored": _centre_restored,
    "sealing_key": _sealing_key,
    "certificate": _certificate,
    "publish": _publish,
    "old_manifest": _old_manifest,
    "revoked": _revoked,
    "replayed_request": _replayed_request,
    "foreign_body": _foreign_body,
    "stray_chunks": _stray_chunks,
}
