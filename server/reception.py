"""Taking one signed frame in, whatever carried it: HTTP, a stick, or the simulation."""

import msgspec

from server import exchange
from server.admission import Admission
from server.errors import FrameSignatureRefused, KioskUnknown, TooMany
from server.identity import CentreKeys
from server.people.buckets import Buckets
from server.settings import Settings
from server.store import fleet
from server.store.sqlite import Store
from sync import frames, limits
from sync.clock import Clock
from sync.signing import SignatureRefused


class Answered(msgspec.Struct, frozen=True):
    """A reply, and what it came from."""

    kiosk_id: bytes
    taken: exchange.Taken
    #: The signed reply.
    raw: bytes


class Reception:
    """Answer kiosks' frames; all that touches the outside is an argument."""

    def __init__(self, store: Store, keys: CentreKeys, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._buckets = Buckets(limits.EXCHANGES_PER_MINUTE)
        #: The door: whoever reads a body asks it first.
        self.admission = Admission(clock)
        #: Bytes of the last reply by kiosk, not counted in the database yet: a commit of its own
        #: would double the cost of each exchange.
        self._sent: dict[bytes, int] = {}
        #: Keys of kiosks that called, at most `KIOSKS_MAX`: asking the database for each exchange
        #: costs a change of threads.
        self._publics: dict[bytes, bytes] = {}

    async def answer(self, raw: bytes, carried: exchange.Carried | None = None) -> Answered:
        """Take one frame in. Cheap checks first; nothing is written before the signature fits.

        Args:
            raw: At most `FRAME_BYTES_MAX` bytes, from anybody.
            carried: Set when a person brings it: then nobody is told to call less often.

        Raises:
            WireError: It is no request of this protocol.
            KioskUnknown: Nobody enrolled that kiosk here.
            FrameSignatureRefused: Another key signed it, or it was changed.
            TooMany: The kiosk calls more often than any agent does.
            StoreBusy: Come back later.
        """
        with self.admission.answering():
            return await self._answered(raw, carried)

    async def _answered(self, raw: bytes, carried: exchange.Carried | None) -> Answered:
        received = frames.decode_request(raw)
        public = await self._public_of(received.request.kiosk_id)
        try:
            asked = frames.verify_request(received, public)
        except SignatureRefused as error:
            raise FrameSignatureRefused(
                "the frame's signature does not fit to its kiosk"
            ) from error
        if carried is None and not self._buckets.may(
            asked.kiosk_id.hex(), self._clock.monotonic_ms()
        ):
            raise TooMany("this kiosk calls too often; wait a minute")
        taken = await self._store.write(
            exchange.take,
            self._settings,
            self._keys,
            asked,
            request_hash=frames.request_hash(raw),
            now_ms=self._clock.now_ms(),
            load=exchange.Load(
                queue=max(self._store.load, self.admission.load), away_s=self.admission.away_s
            ),
            received_bytes=len(raw),
            sent_bytes=self._sent.pop(asked.kiosk_id, 0),
            carried=carried,
        )
        body = frames.encode_reply(taken.reply, lambda part: self._keys.sign("reply", part))
        self._sent[asked.kiosk_id] = len(body)
        return Answered(kiosk_id=asked.kiosk_id, taken=taken, raw=body)

    async def _public_of(self, kiosk_id: bytes) -> bytes:
        # Never stale: kiosks are not deleted, and an identity is the hash of its key.
        if kiosk_id not in self._publics:
            kiosk = await self._store.read(fleet.identity, kiosk_id)
            if kiosk is None:
                raise KioskUnknown("this kiosk was never enrolled here; enrol it with a new code")
            self._publics[kiosk_id] = kiosk.device_public
        return self._publics[kiosk_id]
