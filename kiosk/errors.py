"""What can go wrong at a kiosk; each error has a stable code."""

from sync.errors import BianminError


class AttachmentRefused(BianminError):
    """A photo, signature or recording is not what the present question takes."""

    code = "415.40"


class AttachmentTooLarge(BianminError):
    """A photo, signature or recording exceeds its bound; take it again, smaller."""

    code = "413.40"


class OtherScreen(BianminError):
    """The page that asks is not the present one; show the present one."""

    code = "409.40"


class InkRefused(BianminError):
    """What came from the writing square is no character that can be read."""

    code = "422.40"


class ReadingUnavailable(BianminError):
    """Nothing reads handwriting at this moment; the drawing itself can be kept."""

    code = "503.40"
