"""What can go wrong at a kiosk; each error has a stable code."""

from sync.errors import BianminError


class SettingRefused(BianminError):
    """A setting is unknown or its value cannot be used; the message says what is allowed."""

    code = "422.40"


class AttachmentRefused(BianminError):
    """A photo, signature or recording is not what the present question takes."""

    code = "415.40"


class AttachmentTooLarge(BianminError):
    """A photo, signature or recording exceeds its bound; take it again, smaller."""

    code = "413.40"


class OtherScreen(BianminError):
    """The page that asks is not the present one; show the present one."""

    code = "409.40"


class ForeignPage(BianminError):
    """The request does not come from the kiosk's own page."""

    code = "403.40"


class NoCatalogue(BianminError):
    """The centre's services are not on this kiosk yet; let it reach the centre once."""

    code = "503.40"
