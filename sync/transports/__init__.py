"""Ways to the centre, behind one small interface."""

from typing import Protocol

from sync.errors import BianminError

EXCHANGE_PATH = "/sync/v1/exchange"
ENROL_PATH = "/sync/v1/enrol"
MANIFEST_PATH = "/sync/v1/manifest"
BLOB_PATH = "/sync/v1/blobs/"


class LinkDown(BianminError):
    """Nothing came back; try again later."""

    code = "503.1"


class CentreRefused(LinkDown):
    """The far end answered with an error; `status` and `problem` say which.

    Unsigned, so it changes nothing on a kiosk: it is only shown.
    """

    code = "503.2"

    def __init__(self, status: int, problem: str = "") -> None:
        super().__init__(f"the far end answered {problem or status}")
        self.status = status
        self.problem = problem


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
