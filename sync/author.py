"""What every request of a kiosk has in common, whether a link or a stick carries it."""

from collections.abc import Callable
from functools import partial

import msgspec
from sqlite_utils import Database as Tables

from sync import exchange, outbox, standing
from sync.clock import Clock
from sync.device import KioskIdentity
from sync.frames import Request, SealedNotice, encode_request
from sync.health import short_health
from sync.notices import decode_notice
from sync.octets import WireError
from sync.records import Health, Notice
from sync.sealing import SealBroken, open_notice
from sync.signing import Certificate, DeviceKeys, Trust


class Author:
    """Composes and signs requests; all methods run on the store's thread, in `immediate`.

    Args:
        keys: The device's.
        identity: What the enrolment said.
        clock: Time, never waited on.
        boot_id: Random for this start, 4 bytes.
        report: Answers the kiosk's report; what waits is filled in here.
    """

    def __init__(
        self,
        keys: DeviceKeys,
        identity: KioskIdentity,
        clock: Clock,
        boot_id: bytes,
        report: Callable[[], Health],
    ) -> None:
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._boot_id = boot_id
        self._report = report

    def trust(self, held: exchange.Standing) -> Trust:
        """Answer what a word of the centre must be signed by."""
        raw = held.certificate or bytes.fromhex(self._identity.certificate)
        return Trust(
            roots=(bytes.fromhex(self._identity.root_public),),
            certificate=Certificate.from_bytes(raw),
            centre_ms=held.centre_ms,
        )

    def _signed(
        self,
        db: Tables,
        view: exchange.View,
        plan: exchange.Plan,
        *,
        gone: tuple[int, int] = (0, 0),
    ) -> tuple[Request, bytes]:
        """Answer the counted request of a plan, and its frame.

        `gone` are envelopes and attachments to leave out of the report.
        """
        envelopes, chunks = standing.carried(db, plan)
        certificate = self.trust(view.standing).certificate
        request = exchange.compose(
            standing.counted(db, view),
            kiosk_id=self._keys.kiosk_id,
            envelopes=envelopes,
            chunks=chunks,
            boot_id=self._boot_id,
            now_ms=self._clock.now_ms(),
            monotonic_ms=self._clock.monotonic_ms(),
            certificate_serial=certificate.serial if certificate else 0,
            health=self._reported(db, view.standing, gone),
        )
        return request, encode_request(request, partial(self._keys.sign, "request"))

    def _reported(self, db: Tables, held: exchange.Standing, gone: tuple[int, int]) -> Health:
        waiting = outbox.waiting(db)
        count = max(0, waiting.count - gone[0])
        # Confirmations are dated by the corrected clock.
        now_ms = self._clock.now_ms() + held.clock_skew_ms
        age_ms = now_ms - waiting.oldest_ms if count and waiting.oldest_ms else 0
        report = msgspec.structs.replace(
            self._report(),
            pending=count,
            oldest_s=max(0, age_ms // 1000),
            attachments_pending=max(0, waiting.attachments - gone[1]),
            boots=held.boots,
        )
        return short_health(report)


def opened_notice(private: bytes, sealed: SealedNotice) -> Notice | None:
    """Answer a notice; None when it does not open, for it must not hold up those behind it."""
    try:
        return decode_notice(open_notice(private, sealed.number, sealed.sealed), sealed.number)
    except (SealBroken, WireError):
        return None
