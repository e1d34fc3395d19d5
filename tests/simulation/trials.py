"""Scenarios that put one check to the test each, told step by step; see `mutations`.

Seeds find most of what is wrong sooner or later; these find it at once, and say why.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec

from server.store import cases, reviews
from sync import frames, outbox, signing
from sync.answers import encode_transaction
from sync.clock import SeededEntropy
from sync.frames import Reply, Request
from sync.records import Envelope, Header, Health
from sync.sealing import seal
from sync.signing import Certificate
from sync.transports import EXCHANGE_PATH
from sync.wire import courier_url, encode_courier, encode_header, envelope_bytes
from tests.simulation import evidence, invariants, past, scenery
from tests.simulation.centre import COURIER, LEDGER
from tests.simulation.clocks import START_MS, YEAR_MS
from tests.simulation.disk import Snapshot
from tests.simulation.history import Broken, Press
from tests.simulation.kiosk import OWED, STORE, Card, Kiosk, Visit
from tests.simulation.regressions import (
    HOUR_S,
    VISIT_S,
    Script,
    Unlucky,
    begun,
    judged,
    visited,
)
from tests.simulation.scenery import Matter
from tests.simulation.stick import SimStick, carried_home, carried_in
from tests.simulation.world import World

SUBMIT_CALLS, TAKE_IN_CALLS = 20, 26


class Hopeless(Unlucky):
    """Of what was not synced, nothing is kept either."""

    def choice(self, seq: Any) -> Any:
        """Answer the first: a disk keeps "none"."""
        return seq[0]


def _luck() -> Random:
    return Random("trials")


async def _handed_in(kiosk: Kiosk, matter: Matter) -> Press:
    """Let somebody hand in this matter; answer what was promised last."""
    kiosk.arrive(Visit(matter=matter, secrets=()))
    await asyncio.sleep(VISIT_S)
    return kiosk.outside.history.receipted()[-1]


def _with_photos(number: int = 0) -> Matter:
    return [m for m in scenery.matters() if m.attachments][number]


def _answering(kiosk: Kiosk, answer: Callable[[bytes, bytes], bytes]) -> Callable[[], None]:
    """Let somebody on the way change each reply; answer what ends it."""
    post = kiosk.link.post

    async def changed(path: str, body: bytes) -> bytes:
        return answer(body, await post(path, body))

    kiosk.link.post = changed  # type: ignore[method-assign]  # the man in the middle

    def end() -> None:
        kiosk.link.post = post  # type: ignore[method-assign]  # as it was

    return end


# --- the card


async def cut_in_every_write_of_a_submit(world: World) -> None:
    """The power goes at the first, second, third … call of the disk after the press."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    write_whole = kiosk.card.write_whole
    for calls in range(1, SUBMIT_CALLS):

        def armed(path: Any, raw: bytes, calls: int = calls) -> None:
            write_whole(path, raw)
            if path == OWED:
                kiosk.card.crash_after(calls)

        kiosk.card.write_whole = armed  # type: ignore[method-assign]  # the fault
        await visited(kiosk, number=calls % 5)
        kiosk.card.write_whole = write_whole  # type: ignore[method-assign]  # as it was
        await _up_again(world, kiosk)
    kiosk.link.is_cut = False
    await judged(world)


async def cut_in_every_write_of_a_reply(world: World) -> None:
    """The power goes at the first, second, third … call of the disk after a reply with news."""
    kiosk = await begun(world)
    for calls in range(1, TAKE_IN_CALLS):
        await visited(kiosk, number=calls % 5)

        def cut(_: bytes, reply: bytes, calls: int = calls) -> bytes:
            kiosk.card.crash_after(calls)
            return reply

        end = _answering(kiosk, cut)
        kiosk.poke()
        await asyncio.sleep(60)
        end()
        await _up_again(world, kiosk)
    await judged(world)


async def _up_again(world: World, kiosk: Kiosk) -> None:
    kiosk.down(is_power=True)
    kiosk.card.heal()
    invariants.no_receipted_transaction_is_lost(world)
    kiosk.boot()
    await asyncio.sleep(60)


async def rotten_card(world: World) -> None:
    """A card gives other bytes than it was given, for a while: of a photo, of an envelope."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    press = await _handed_in(kiosk, _with_photos())
    photo = await _rotten(world, kiosk, press.sealed[0][200:260])
    await asyncio.sleep(HOUR_S)
    await photo()
    kiosk.link.is_cut = True
    await asyncio.sleep(HOUR_S)
    press = await _handed_in(kiosk, _with_photos(1))
    envelope = await _rotten(world, kiosk, press.envelope[-40:])
    await asyncio.sleep(HOUR_S)
    await envelope()
    await asyncio.sleep(60)
    world.checks_settled(kiosk)
    world._judge_defects()
    invariants.attachments_are_whole(world, evidence.held_envelopes(world)[:1])
    _opens_all(world)


def _opens_all(world: World) -> None:
    """What the centre has taken opens: nobody made good what had rotted."""
    for item in evidence.held_envelopes(world):
        if item.transaction is None:
            raise Broken(f"unaltered: envelope {item.id} does not open")


async def _rotten(world: World, kiosk: Kiosk, piece: bytes) -> Callable[[], Awaitable[None]]:
    """Let a piece of the store read wrong, with a link; answer what mends it."""
    assert kiosk.database is not None
    kiosk.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    at = kiosk.card.snapshot().files[str(STORE)].find(piece)
    if at < 0:
        raise LookupError("the piece does not lie in one place")

    async def turned() -> None:
        if kiosk.database is not None:
            kiosk.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        kiosk.down(is_power=False)
        kiosk.card.corrupt(STORE, at, at + len(piece))
        kiosk.link.is_cut = False
        kiosk.boot()

    await turned()
    return turned


# --- who speaks


async def thief_with_a_replaced_key(world: World) -> None:
    """The centre's former signing key was stolen, and a thief answers "stored" with it."""
    kiosk = await begun(world)
    stolen = world.centre.keys
    await past.EVENTS["certificate"](world, _luck())
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await _lied_to(world, kiosk, stolen.signing_private, stolen.certificate)


async def thief_with_a_root_of_his_own(world: World) -> None:
    """A thief answers "stored" with a key that a root of his own stands for."""
    kiosk = await begun(world)
    root, _ = signing.generate_signing_key(SeededEntropy(66))
    private, public = signing.generate_signing_key(SeededEntropy(67))
    made = signing.issue_certificate(root, public, serial=9, not_after_ms=START_MS + YEAR_MS)
    await _lied_to(world, kiosk, private, made)


async def thief_with_no_key(world: World) -> None:
    """A thief shows the centre's own certificate, and signs "stored" with some other key."""
    kiosk = await begun(world)
    private, _ = signing.generate_signing_key(SeededEntropy(68))
    await _lied_to(world, kiosk, private, world.centre.keys.certificate)


async def strangers_in_a_kiosks_name(world: World) -> None:
    """Anybody can seal to the centre; only a kiosk's own key makes it that kiosk's."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    edition, made = scenery.editions()[0], scenery.matters()[0].transaction
    thief = signing.DeviceKeys.generate(SeededEntropy(69))
    seq, last = 1, bytes(8)
    sealing = world.centre.keys.sealing[0]
    for carrier in ("exchange", "phone"):
        header = Header(kiosk.keys.kiosk_id, seq, last, sealing.key_id, catalogue=1)
        transaction = msgspec.structs.replace(made, id=carrier.encode().ljust(16))
        body = encode_transaction(edition.catalogue, edition.dictionary_raw, transaction)
        envelope = Envelope(header, seal(sealing, encode_header(header), body))
        signature = thief.sign("envelope", envelope_bytes(envelope))
        if carrier == "phone":
            path, raw = COURIER + _digits(encode_courier(envelope, signature)), b""
        else:
            path, raw = EXCHANGE_PATH, _request(kiosk, thief, envelope)
        await world.network.reach("POST" if raw else "GET", path, raw)
    await judged(world)


def _request(kiosk: Kiosk, thief: signing.DeviceKeys, envelope: Envelope) -> bytes:
    request = Request(
        kiosk_id=kiosk.keys.kiosk_id,
        counter=99,
        boot_id=b"evil",
        now_ms=START_MS,
        monotonic_ms=0,
        epoch=0,
        head_seq=1,
        head_hash=bytes(8),
        cursor=0,
        catalogue=1,
        certificate=0,
        health=Health(version="evil", pending=0, oldest_s=0, disk_free_mb=0),
        envelopes=(envelope,),
    )
    return frames.encode_request(request, lambda part: thief.sign("request", part))


async def _lied_to(world: World, kiosk: Kiosk, private: bytes, shown: Certificate) -> None:
    """Let a thief keep what the kiosk sends, and say that it is stored."""
    post = kiosk.link.post

    async def kept(path: str, body: bytes) -> bytes:
        request = frames.decode_request(body).request
        return _forged(request, body, private, shown, world.centre.clock.now_ms())

    kiosk.link.post = kept  # type: ignore[method-assign]  # the thief
    await visited(kiosk)
    kiosk.link.post = post  # type: ignore[method-assign]  # he is gone
    await judged(world)


def _forged(request: Request, raw: bytes, private: bytes, shown: Certificate, now_ms: int) -> bytes:
    reply = Reply(
        request_hash=frames.request_hash(raw),
        kiosk_id=request.kiosk_id,
        epoch=request.epoch,
        durability="D0",
        centre_ms=now_ms,
        mark_seq=request.head_seq,
        mark_hash=request.head_hash,
        verdicts=tuple("stored" for _ in request.envelopes),
        certificate=shown,
        catalogue_version=request.catalogue,
    )
    return frames.encode_reply(reply, lambda part: signing.sign(private, "reply", part))


async def answered_from_a_cache(world: World) -> None:
    """A proxy gives the answer to the first envelope once more, to the second."""
    kiosk = await begun(world)
    seen: list[bytes] = []

    def noted(body: bytes, reply: bytes) -> bytes:
        if frames.decode_request(body).request.envelopes:
            seen.append(reply)
        return reply

    end = _answering(kiosk, noted)
    await visited(kiosk, number=1)
    end()
    post = kiosk.link.post

    async def cached(path: str, body: bytes) -> bytes:
        carries = frames.decode_request(body).request.envelopes
        return seen[0] if carries else await post(path, body)

    kiosk.link.post = cached  # type: ignore[method-assign]  # the proxy
    await visited(kiosk, number=2)
    kiosk.link.post = post  # type: ignore[method-assign]  # without it
    await judged(world)


async def replayed_by_a_stranger(world: World) -> None:
    """Somebody who listened sends the first request again when all has arrived."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    path, first = world.network.requests[0]
    await visited(kiosk, number=2)
    await visited(kiosk, number=3)
    await world.network.reach("POST", path, first)
    invariants.gaps_are_seen(world)
    await judged(world)


# --- old images, old centres


async def pruned_by_a_wrong_clock(world: World) -> None:
    """A kiosk's clock jumps ahead by ten years; then the centre comes back from a backup."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    await visited(kiosk, number=1)
    kiosk.poke()
    kiosk.clock.show(kiosk.clock.now_ms() + 10 * YEAR_MS)
    # A day later it tidies up.
    await asyncio.sleep(30 * HOUR_S)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    past.put_back(world, world.centre, backup)
    world.is_epoch_due = False
    # Not `past.restored`: it would count as destroyed what is nowhere any more.
    await _restored(world)
    await judged(world, is_counted=False)


async def _restored(world: World) -> None:
    counted = world.count_destroyed
    world.count_destroyed = lambda: None  # type: ignore[method-assign]  # nothing may be
    await past.restored(world, world.centre)
    world.count_destroyed = counted  # type: ignore[method-assign]  # as it was


async def failed_over_to_a_late_copy(world: World) -> None:
    """A copy of the centre that lags takes its place within the same epoch."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    copy = world.centre.disk.snapshot()
    await visited(kiosk, number=2)
    past.put_back(world, world.centre, copy)
    world.is_epoch_due = False
    world.centre.boot()
    for _ in range(3):
        kiosk.poke()
        await asyncio.sleep(HOUR_S)
    held = evidence.held_envelopes(world)
    invariants.no_receipted_transaction_is_lost(world)
    invariants.everything_arrives_after_healing(world, held)
    invariants.counted_once(world, held)


async def notices_after_a_restore(world: World) -> None:
    """A restored centre has told things anew before the kiosk comes: none may be passed over."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    kiosk.poke()
    await asyncio.sleep(60)
    backup = world.centre.disk.snapshot()
    await visited(kiosk, number=2)
    await visited(kiosk, number=3)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    kiosk.link.is_cut = True
    past.put_back(world, world.centre, backup)
    await past.restored(world, world.centre)
    (case,) = await world.centre.store.read(cases.queue)
    for _ in range(6):
        await world.people._decide(world.centre, case)
    kiosk.link.is_cut = False
    await judged(world)


async def old_copy_takes_no_used_number(world: World) -> None:
    """A kiosk set back to an old image has heard which numbers are used: it gives none again."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    image = kiosk.card.snapshot()
    await visited(kiosk, number=2)
    await asyncio.sleep(HOUR_S)
    await _set_back(world, kiosk, image)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await visited(kiosk, number=3)
    numbers = [press.case_no for press in world.history.receipted()]
    if len(set(numbers)) != len(numbers):
        raise Broken("order_is_kept: a number that the kiosk knew to be used was given again")
    (state,) = world.conn.execute(
        "SELECT state FROM kiosks WHERE kiosk_id = ?", (kiosk.keys.kiosk_id,)
    ).fetchone()
    if state != "forked":
        raise Broken("forks_are_declared: an old image came, and nobody was told")
    await judged(world)


async def _set_back(world: World, kiosk: Kiosk, image: Snapshot) -> None:
    kiosk.down(is_power=False)
    kiosk.card.restore(image)
    world.doubt(kiosk.keys.kiosk_id)
    kiosk.boot()
    await asyncio.sleep(1)


async def two_cards_two_photos(world: World) -> None:
    """Two cards of one identity give one number to two residents, each with a photo."""
    kiosk = await begun(world)
    card = Card(kiosk.card.clone(world.luck("twin card")), kiosk.keys, kiosk.identity)
    twin = world.machine("kiosk 1 twin", card, world.luck("twin"))
    world.doubt(kiosk.keys.kiosk_id)
    twin.boot()
    kiosk.link.is_cut = twin.link.is_cut = True
    await _handed_in(kiosk, _with_photos(0))
    await _handed_in(twin, _with_photos(1))
    kiosk.link.is_cut = twin.link.is_cut = False
    await judged(world)


async def large_photo(world: World) -> None:
    """A photo goes in many pieces over a slow link, each where the one before ended."""
    kiosk = await begun(world)
    kiosk.link.extra_s = 30.0
    matter = _with_photos()
    photo = msgspec.structs.replace(matter.attachments[0], content=_luck().randbytes(60_000))
    await _handed_in(kiosk, Matter(matter.transaction, (photo, *matter.attachments[1:])))
    for _ in range(20):
        kiosk.poke()
        await asyncio.sleep(60)
    await judged(world)


async def photo_is_asked_for_by_a_restored_centre(world: World) -> None:
    """A backup has a transaction and part of its photo; when it is put back, the whole is lost."""
    kiosk = await begun(world)
    kiosk.link.extra_s = 30.0
    matter = _with_photos()
    photo = msgspec.structs.replace(matter.attachments[0], content=_luck().randbytes(60_000))
    await _handed_in(kiosk, Matter(matter.transaction, (photo, *matter.attachments[1:])))
    (press,) = world.history.receipted()
    backup = world.centre.disk.snapshot()
    if evidence.has_attachment(world.centre, press.sealed[0]):
        raise Broken("a_large_photo_takes_long: it is here already")
    kiosk.link.extra_s = 0.0
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    if not evidence.has_attachment(world.centre, press.sealed[0]):
        raise Broken("a_large_photo_arrives: it is not here yet")
    past.put_back(world, world.centre, backup)
    await _restored(world)
    await judged(world, is_counted=False)


async def full_card_with_a_photo_on_its_way(world: World) -> None:
    """A card is full while a photo goes in pieces: what waits stays, what has arrived may leave."""
    kiosk = await begun(world)
    matter = _with_photos()
    await _handed_in(kiosk, matter)
    photo = msgspec.structs.replace(matter.attachments[0], content=_luck().randbytes(60_000))
    kiosk.link.extra_s = 30.0
    await _handed_in(kiosk, Matter(matter.transaction, (photo, *matter.attachments[1:])))
    kiosk.card.capacity_bytes = kiosk.card.used_bytes
    for _ in range(5):
        kiosk.poke()
        await asyncio.sleep(60)
    kiosk.card.capacity_bytes = None
    await judged(world)


# --- sticks


async def stick_of_before_an_old_image(world: World) -> None:
    """A stick brings the word on number 1 home; the kiosk was set back and has another one."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    image = kiosk.card.snapshot()
    await visited(kiosk, number=1)
    stick = SimStick()
    await carried_home(world, kiosk, stick)
    await carried_in(world, world.centre, stick)
    await _set_back(world, kiosk, image)
    kiosk.link.is_cut = True
    await visited(kiosk, number=2)
    await carried_home(world, kiosk, stick)
    world._judge_defects()
    kiosk.link.is_cut = False
    await judged(world)


async def stick_of_before_a_restore(world: World) -> None:
    """A stick brings the word of a centre home that was restored from a backup meanwhile."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    stick = SimStick()
    await carried_home(world, kiosk, stick)
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await carried_in(world, world.centre, stick)
    past.put_back(world, world.centre, backup)
    await past.restored(world, world.centre)

    def last(_: bytes, reply: bytes) -> bytes:
        kiosk.link.is_cut = True
        return reply

    end = _answering(kiosk, last)
    kiosk.poke()
    await asyncio.sleep(60)
    end()
    # The kiosk knows of the new epoch, and has what the backup lacks to send again.
    world.lost_in_restore.clear()
    kiosk.settled.clear()
    await carried_home(world, kiosk, stick)
    world._judge_defects()
    kiosk.link.is_cut = False
    await judged(world)


async def old_catalogue_comes_again(world: World) -> None:
    """Somebody on the way, and then an old stick, bring a catalogue that was in force once."""
    kiosk = await begun(world)
    await _published(world, 1)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    world.network.is_manifest_replayed = True
    await _published(world, 2)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    world.network.is_manifest_replayed = False
    await judged(world)


async def old_catalogue_on_a_stick(world: World) -> None:
    """A stick with a catalogue lies in a drawer while a newer one comes over the link."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    await visited(kiosk)
    stick = SimStick()
    await carried_home(world, kiosk, stick)
    await _published(world, 1)
    await carried_in(world, world.centre, stick)
    await _published(world, 2)
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await carried_home(world, kiosk, stick)
    await judged(world)


async def _published(world: World, edition: int) -> None:
    world.edition = edition
    await world.people.done(world.centre, world.people.publish(world.centre, edition))


# --- the centre


async def centre_fails_a_commit(world: World) -> None:
    """The centre's disk fails the very sync that an acknowledgement stands on."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    await visited(kiosk)
    world.centre.is_disk_sick = world.is_disk_sick = lambda: True  # type: ignore[method-assign]
    world.centre.disk.fail("sync", 1)
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(60)
    world._judge_defects()
    await judged(world)


async def ledger_synced_a_lost_entry(world: World) -> None:
    """A sync of the ledger fails, the vault is killed, and whatever it writes from then on lies
    behind a hole that only the power cut shows."""
    kiosk = await begun(world)
    world.centre.is_disk_sick = world.is_disk_sick = lambda: True  # type: ignore[method-assign]
    await visited(kiosk, number=1)
    await asyncio.sleep(HOUR_S)
    on_ask, centre = world.centre.on_ask, world.centre

    def failing(ledger: Any) -> None:
        on_ask(ledger)
        if ledger is not None:
            centre.disk.fail("sync", 1)

    centre.on_ask = failing
    centre.disk.random = Hopeless(1)
    (case,) = await centre.store.read(cases.queue)
    await world.people.look(centre, case, "核对材料", "王经办", "clerk")
    centre.on_ask = on_ask
    world.centre.kill_vault()
    await _looked_at_and_cut(world, kiosk)


async def looked_at_before_a_power_cut(world: World) -> None:
    """A clerk has seen a resident's answers; then the centre loses power."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    await _looked_at_and_cut(world, kiosk)


async def _looked_at_and_cut(world: World, kiosk: Kiosk) -> None:
    await asyncio.sleep(3 * HOUR_S)
    await visited(kiosk, number=3)
    centre = world.centre
    for case in await centre.store.read(cases.queue):
        await world.people.look(centre, case, "核对材料", "王经办", "clerk")
    centre.disk.random = Hopeless(1)
    centre.down(is_power=True)
    centre.disk.random = Random(1)
    await asyncio.sleep(60)
    centre.boot()
    if str(LEDGER) not in centre.disk.snapshot().files:
        raise Broken("audit_matches_openings: the ledger is gone")
    await judged(world)


async def rating_before_its_case(world: World) -> None:
    """A phone brings a rating of a case that is still on the kiosk."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    (press,) = world.history.receipted()
    kiosk.arrive(Visit(matter=world.people._rating(press), secrets=()))
    await asyncio.sleep(VISIT_S)
    rating = world.history.receipted()[-1]
    assert kiosk.database is not None
    raw = outbox.courier_of(kiosk.database.conn, rating.seq)
    digits = _digits(raw)
    await world.network.reach("GET", COURIER + digits, b"")
    await asyncio.sleep(HOUR_S)
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await judged(world)


async def correction_right_behind_its_case(world: World) -> None:
    """A case and its correction come in one batch: the vault looks for the case before it is."""
    kiosk = await begun(world)
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    (press,) = world.history.receipted()
    await _handed_in(kiosk, world.people._like(press, corrects=press.case_no))
    kiosk.link.is_cut = False
    await judged(world)


def _digits(raw: bytes) -> str:
    return courier_url("https://centre.example", raw).rpartition("/")[2]


async def catalogue_after_its_transaction(world: World) -> None:
    """A restored centre has forgotten the edition that a resident answered by, for a while."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    await _published(world, 1)
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    past.put_back(world, world.centre, backup)
    world.centre.boot()
    kiosk.link.is_cut = False
    # The command was not run yet: an older epoch, so the stick takes it there.
    stick = SimStick()
    await carried_home(world, kiosk, stick)
    await carried_in(world, world.centre, stick)
    await asyncio.sleep(HOUR_S)
    world.centre.down(is_power=False)
    await past.restored(world, world.centre)
    await asyncio.sleep(HOUR_S)
    await judged(world)


async def poisoned_and_replayed(world: World) -> None:
    """Something that no form reads is buried; a person gives it to the pipeline once more."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    matter = next(m for m in scenery.matters() if not m.attachments)
    kiosk.arrive(Visit(matter=matter, secrets=(), poison="body"))
    await asyncio.sleep(VISIT_S)
    await judged(world)


async def revoked_with_a_backlog(world: World) -> None:
    """A stolen kiosk sends what it holds: all of it waits for a person, photos too."""
    kiosk = await begun(world)
    await world.enrolled("kiosk 2")
    kiosk.link.is_cut = True
    for number in range(2):
        await _handed_in(kiosk, _with_photos(number))
    await world.people.done(
        world.centre, world.centre.store.write(past.revoked_now, kiosk.keys.kiosk_id)
    )
    past.note_revoked(world)
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    letters = await world.centre.store.read(cases.dead_letters)
    if len(letters) != 2:
        raise Broken(f"revoked_makes_no_case_without_review: {len(letters)} letters of 2")
    await world.people.done(world.centre, _accepted(world, kiosk, letters[0].envelope_id))
    await judged(world)


async def _accepted(world: World, kiosk: Kiosk, envelope_id: int) -> None:
    (raw,) = world.conn.execute("SELECT raw FROM envelopes WHERE id = ?", (envelope_id,)).fetchone()
    world.record.reviewed.add(bytes(raw))
    await world.centre.store.write(
        reviews.decide,
        kiosk.keys.kiosk_id,
        [envelope_id],
        "accepted",
        reason="电话核实",
        actor="审计员",
        now_ms=world.centre.clock.now_ms(),
    )
    world.centre.pipeline.poke()


async def strangers_at_the_door(world: World) -> None:
    """A stolen kiosk of ours signs what another one sealed, and photos of nothing."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    for _ in range(3):
        await past.EVENTS["foreign_body"](world, _luck())
        await past.EVENTS["stray_chunks"](world, _luck())
    await judged(world)


SCRIPTS: tuple[Script, ...] = (
    cut_in_every_write_of_a_submit,
    cut_in_every_write_of_a_reply,
    rotten_card,
    thief_with_a_replaced_key,
    thief_with_a_root_of_his_own,
    thief_with_no_key,
    strangers_in_a_kiosks_name,
    answered_from_a_cache,
    replayed_by_a_stranger,
    pruned_by_a_wrong_clock,
    failed_over_to_a_late_copy,
    notices_after_a_restore,
    old_copy_takes_no_used_number,
    two_cards_two_photos,
    large_photo,
    photo_is_asked_for_by_a_restored_centre,
    full_card_with_a_photo_on_its_way,
    stick_of_before_an_old_image,
    stick_of_before_a_restore,
    old_catalogue_comes_again,
    old_catalogue_on_a_stick,
    centre_fails_a_commit,
    ledger_synced_a_lost_entry,
    looked_at_before_a_power_cut,
    rating_before_its_case,
    correction_right_behind_its_case,
    catalogue_after_its_transaction,
    poisoned_and_replayed,
    revoked_with_a_backlog,
    strangers_at_the_door,
)
