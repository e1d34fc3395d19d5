"""Ways to the centre, behind one small interface."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from sync.errors import BianminError

EXCHANGE_PATH = "/sync/v1/exchange"
UPLOAD_PATH = "/sync/v1/attachment"
ENROL_PATH = "/sync/v1/enrol"
MANIFEST_PATH = "/sync/v1/manifest"
BLOB_PATH = "/sync/v1/blobs/"


class LinkDown(BianminError):
    """Nothing came back, or not the whole; try again later."""

    code = "503.1"

    def __init__(self, message: str, came: bytes = b"") -> None:
        super().__init__(message)
        #: What had come of an answer (status 200) that broke off; nobody vouches for it.
        self.came = came


class NotConnected(LinkDown):
    """The far end could not be reached at all: nothing was sent."""

    code = "503.31"


class CentreRefused(LinkDown):
    """The far end answered with an error; `status` and `problem` say which.

    Unsigned, so it changes nothing on a kiosk: it is only shown.
    """

    code = "503.2"

    def __init__(self, status: int, problem: str = "", retry_after_s: int = 0) -> None:
        super().__init__(f"the far end answered {problem or status}")
        self.status = status
        self.problem = problem
        #: Seconds to keep away; 0 = not said.
        self.retry_after_s = retry_after_s


class Link(Protocol):
    """Carry one request to the centre and bring its answer, or fail."""

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body and answer the reply's.

        Raises:
            LinkDown: No whole answer came.
        """
        ...

    async def get(self, path: str) -> bytes:
        """Answer what the centre has under a path.

        Raises:
            LinkDown: No whole answer came.
        """
        ...


@runtime_checkable
class Uploads(Protocol):
    """A link that can send a long body piece by piece, as long as pieces come."""

    async def upload(self, path: str, size_bytes: int, pieces: AsyncIterator[bytes]) -> bytes:
        """Send a body of that size and answer the reply's; what was sent of it may be kept there.

        Raises:
            LinkDown: No whole answer came.
        """
        ...


@runtime_checkable
class Paced(Protocol):
    """A link that knows how long it only waited."""

    @property
    def waited_s(self) -> float:
        """Seconds of the last answer's way in which nothing was sent: its round trips."""
        ...
