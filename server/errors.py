"""What the centre refuses or cannot do, each with its stable code."""

from sync.errors import BianminError


class StoreFault(BianminError):
    """The database is damaged, newer than this program, or could not commit."""

    code = "500.21"


class KeyStillNeeded(BianminError):
    """A sealing key must stay: the message names each reason with its figures."""

    code = "409.22"


class StoreBusy(BianminError):
    """More waits than the centre can do in time; `retry_after_s` says when to come again."""

    code = "503.20"

    def __init__(self, message: str, *, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RequestRefused(BianminError):
    """A request is not one that this address understands."""

    code = "400.20"


class LengthMissing(BianminError):
    """A body came without its length; the centre reads none before it knows the size."""

    code = "411.20"


class BodyTooLarge(BianminError):
    """A body is longer than this address takes."""

    code = "413.20"


class EncodingRefused(BianminError):
    """A body came compressed by HTTP; ours are compressed and signed inside."""

    code = "415.20"


class KioskUnknown(BianminError):
    """No kiosk of that identity was ever enrolled here."""

    code = "401.20"


class FrameSignatureRefused(BianminError):
    """The signature does not belong to the kiosk that the frame names."""

    code = "401.21"


class CodeRefused(BianminError):
    """An enrolment code is unknown, used, expired or spent by wrong tries."""

    code = "403.20"


class CourierRefused(BianminError):
    """A courier link is damaged or was not made by a kiosk of this centre."""

    code = "400.21"


class TooMany(BianminError):
    """One address or kiosk asked more often than it may."""

    code = "429.20"


class MetricsRefused(BianminError):
    """Metrics were asked for from another machine."""

    code = "403.22"


class NotPublished(BianminError):
    """No catalogue was published yet."""

    code = "404.20"


class BlobUnknown(BianminError):
    """No blob has that hash."""

    code = "404.21"


class CaseUnknown(BianminError):
    """No case has that number."""

    code = "404.22"


class LetterUnknown(BianminError):
    """No dead letter has that number."""

    code = "404.23"


class KioskRowUnknown(BianminError):
    """No kiosk has that identity."""

    code = "404.24"


class TransitionRefused(BianminError):
    """A case cannot take that step from where it stands."""

    code = "409.20"


class DecisionIncomplete(BianminError):
    """A decision lacks what the resident must be told."""

    code = "422.20"


class CatalogueRefused(BianminError):
    """A catalogue has faults; the message names them, one a line."""

    code = "422.21"


class FleetFull(BianminError):
    """All kiosk numbers were given out."""

    code = "507.20"


class VaultUnavailable(BianminError):
    """The vault does not answer; nothing was opened."""

    code = "503.21"


class VaultRefused(BianminError):
    """The vault refuses: actor, purpose, case or fields are missing, or the form has none such."""

    code = "403.21"


class VaultLimit(BianminError):
    """An actor opened more this hour than a person can read."""

    code = "429.21"


class VaultCannotOpen(BianminError):
    """The case's envelope does not open; the dead letter's reason says why."""

    code = "500.22"


class LedgerBroken(BianminError):
    """The ledger of openings does not follow from its own entries; the vault stays shut."""

    code = "500.23"
