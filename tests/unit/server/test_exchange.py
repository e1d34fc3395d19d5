"""One exchange: what is stored, what is answered, and that old requests move nothing."""

from server.catalogue.shelf import Published
from server.exchange import Load
from server.store import cases, fleet, notices
from server.store.fleet import KioskIdentityRow
from server.store.rows import KioskRow
from sync import limits
from sync.records import Notice
from tests.unit.server.world import HOUR_MS, NOW_MS, Kiosk, World


def identity_of(world: World, kiosk: Kiosk) -> KioskIdentityRow:
    found = fleet.identity(world.conn, kiosk.keys.kiosk_id)
    assert found is not None
    return found


def row_of(world: World, kiosk: Kiosk) -> KioskRow:
    found = fleet.kiosk(world.conn, kiosk.keys.kiosk_id.hex())
    assert found is not None
    return found


def notice(world: World, kiosk: Kiosk, case_no: str = "000100000114") -> None:
    told = Notice(number=0, case_no=case_no, kind="accepted", service="x", at_ms=NOW_MS)
    world.write(notices.write, kiosk.keys.kiosk_id, told)


def test_acknowledged_envelopes_are_stored_with_their_chain(world: World) -> None:
    kiosk = world.enrol()
    envelopes = [kiosk.seal(bytes(32)) for _ in range(3)]

    reply = world.exchange(kiosk, kiosk.request(envelopes)).reply

    assert reply.verdicts == ("stored", "stored", "stored")
    assert (reply.mark_seq, reply.mark_hash) == (3, kiosk.prev)
    assert reply.flags == frozenset()
    assert row_of(world, kiosk).missing_count == 0


def test_gap_is_counted_until_it_is_filled(world: World) -> None:
    kiosk = world.enrol()
    first, second, third = (kiosk.seal(bytes(32)) for _ in range(3))

    world.exchange(kiosk, kiosk.request([first, third]))
    before = row_of(world, kiosk)
    world.exchange(kiosk, kiosk.request([second]))
    after = row_of(world, kiosk)

    assert (before.mark_seq, before.missing_count) == (1, 1)
    assert (after.mark_seq, after.missing_count) == (3, 0)


def test_replayed_request_is_answered_and_moves_nothing(world: World) -> None:
    kiosk = world.enrol()
    for _ in range(3):
        notice(world, kiosk)
    old = kiosk.request([kiosk.seal(bytes(32))])
    world.exchange(kiosk, old)
    kiosk.cursor = 3
    kiosk.now_ms += HOUR_MS
    world.exchange(kiosk, kiosk.request())
    before = world.dump()

    reply = world.exchange(kiosk, old).reply

    assert reply.verdicts == ("duplicate",)
    assert world.dump() == before
    assert identity_of(world, kiosk).cursor == 3


def test_replay_from_before_the_clock_was_set_back_moves_nothing(world: World) -> None:
    kiosk = world.enrol()
    kiosk.now_ms += 9 * 365 * 24 * HOUR_MS
    old = kiosk.request([kiosk.seal(bytes(32))])
    world.exchange(kiosk, old)
    kiosk.now_ms = NOW_MS
    kiosk.restart(b"next")
    world.exchange(kiosk, kiosk.request())
    before = world.dump()

    reply = world.exchange(kiosk, old).reply

    assert (reply.verdicts, reply.flags) == (("duplicate",), frozenset())
    assert world.dump() == before


def test_restored_image_is_told_to_enrol_anew_and_gets_its_notices_again(world: World) -> None:
    kiosk = world.enrol()
    kiosk.request()  # the image is older than the first exchange
    image = kiosk.copy(seed=77)
    notice(world, kiosk)
    for _ in range(3):
        kiosk.now_ms += HOUR_MS
        kiosk.notices(world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))])))
    image.now_ms = kiosk.now_ms + HOUR_MS

    taken = world.exchange(image, image.request())

    assert taken.reply.flags == {"reenrol"}
    assert [told.number for told in image.notices(taken)] == [1]
    assert identity_of(world, kiosk).cursor == 1


def test_forked_kiosk_keeps_both_records_and_the_mark_goes_back(world: World) -> None:
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))]))
    other = kiosk.copy(seed=5)
    world.exchange(kiosk, kiosk.request([kiosk.seal(b"a" * 32), kiosk.seal(b"b" * 32)]))

    reply = world.exchange(other, other.request([other.seal(b"c" * 32)])).reply

    assert reply.verdicts == ("stored",)
    assert reply.flags == {"reenrol"}
    assert reply.mark_seq == 1
    assert world.conn.execute("SELECT count(*) FROM envelopes").fetchone()[0] == 4


def test_revoked_kiosk_is_quarantined_and_nothing_is_dropped(world: World) -> None:
    kiosk = world.enrol()
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())

    reply = world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))])).reply

    assert reply.verdicts == ("quarantined",)
    assert reply.flags == {"revoked"}
    assert [letter.reason for letter in cases.dead_letters(world.conn)] == ["quarantined"]


def test_catalogue_is_pointed_to_only_when_it_is_news(world: World, published: Published) -> None:
    kiosk = world.enrol()

    reply = world.exchange(kiosk, kiosk.request()).reply

    assert (reply.catalogue_version, len(reply.manifest_hash)) == (published.version, 32)


def test_busy_centre_asks_for_patience(world: World) -> None:
    kiosk = world.enrol()

    reply = world.exchange(kiosk, kiosk.request(), Load(queue=0.95)).reply

    assert reply.flags == {"slow"}
    assert reply.retry_after_s >= 60


def test_kiosk_with_more_to_send_is_not_kept_waiting(world: World) -> None:
    kiosk = world.enrol()
    envelope = kiosk.seal(bytes(32))

    waits = [
        world.exchange(kiosk, kiosk.request([envelope], pending=pending)).reply.retry_after_s
        for pending in (5, 1)
    ]

    assert waits == [0, world.settings.retry_after_s]


def test_notices_come_from_the_cursor_in_order(world: World) -> None:
    kiosk = world.enrol()
    for number in range(1, 6):
        notice(world, kiosk, f"{number:012d}")
    kiosk.cursor = 2

    told = kiosk.notices(world.exchange(kiosk, kiosk.request()))

    assert [(item.number, int(item.case_no)) for item in told] == [(3, 3), (4, 4), (5, 5)]


def test_notices_do_not_keep_verdicts_back_while_applications_wait(world: World) -> None:
    kiosk = world.enrol()
    for _ in range(20):
        notice(world, kiosk)

    busy = world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))], pending=50))
    idle = world.exchange(kiosk, kiosk.request())

    assert 1 <= len(busy.reply.notices) <= 2
    assert len(idle.reply.notices) == 20


def test_new_identity_of_a_kiosk_inherits_its_notices(world: World) -> None:
    old = world.enrol()
    new = world.enrol(replaces=old.kiosk_no)

    notice(world, old)

    assert [told.kind for told in new.notices(world.exchange(new, new.request()))] == ["accepted"]
    assert new.kiosk_no == old.kiosk_no + 1


def test_health_is_kept_as_a_trend_and_bounded(world: World) -> None:
    kiosk = world.enrol()
    for _ in range(6):
        world.exchange(kiosk, kiosk.request())
        world.clock.ms += limits.HEALTH_EVERY_MS // 2

    points = fleet.health(world.conn, kiosk.keys.kiosk_id.hex())

    assert [point.disk_free_mb for point in points] == [900, 900, 900]
    world.write(fleet.trim_health)
    assert len(fleet.health(world.conn, kiosk.keys.kiosk_id.hex())) == 3


def test_kiosk_of_an_older_epoch_is_told_all_notices_from_the_first(world: World) -> None:
    # A restored centre numbers anew; the kiosk's cursor counts in numbers that are gone.
    kiosk = world.enrol()
    for _ in range(3):
        notice(world, kiosk)
    kiosk.epoch, kiosk.cursor = 1, 2

    told = kiosk.notices(world.exchange(kiosk, kiosk.request()))

    assert [found.number for found in told] == [1, 2, 3]
