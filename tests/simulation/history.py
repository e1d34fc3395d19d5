"""What residents did and were told: the promises that a run is judged by.

The judge knows what no machine of the run knows. Nothing here is read by production code.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from sync.records import Attachment, Transaction

#: under way: nobody was told anything yet. receipted: the number was shown. failed: they were
#: told that it was not stored. gone: looked up after a restart, not there, and made anew.
State = Literal["under way", "receipted", "failed", "gone"]


class Press(msgspec.Struct):
    """One confirmation of one resident."""

    transaction: Transaction
    attachments: tuple[Attachment, ...]
    kiosk: str
    #: Of the card at that time.
    kiosk_id: bytes
    #: Catalogue version that the answers were packed by.
    edition: int
    #: What the form cannot read: meant to end as a dead letter.
    is_poisoned: bool = False
    state: State = "under way"
    #: The envelope as sealed inside the last attempt; whether it was committed, a disk knows.
    envelope: bytes = b""
    #: Its attachments as sealed then.
    sealed: tuple[bytes, ...] = ()
    #: Places of attachments whose every copy is physically gone.
    gone_places: set[int] = msgspec.field(default_factory=set)
    seq: int = 0
    case_no: str = ""
    #: When it failed, a look-up said that it is not stored.
    is_surely_absent: bool = False
    #: Every copy there was is physically gone (burnt card, restored image), see `destroyed`.
    is_destroyed: bool = False
    #: Made on a card that has a twin or was set back: its number may exist twice.
    is_doubted: bool = False

    @property
    def id(self) -> bytes:
        """The transaction's id."""
        return self.transaction.id


class History:
    """All confirmations of one run, and the words that must never be seen in the clear."""

    def __init__(self) -> None:
        self.presses: dict[bytes, Press] = {}
        #: Bytes that stand for a resident's answers, by the kiosk that heard them: never outside
        #: a seal.
        self.secrets: dict[bytes, list[bytes]] = {}
        #: What a clerk said to a resident: never outside a seal but on the kiosk it is for.
        self.words: list[bytes] = []

    def begun(self, press: Press, secrets: Iterable[bytes]) -> None:
        """Note a confirmation and what must stay secret of it."""
        self.presses[press.id] = press
        self.secrets.setdefault(press.kiosk_id, []).extend(secrets)

    def receipted(self) -> list[Press]:
        """Answer what was promised."""
        return [press for press in self.presses.values() if press.state == "receipted"]


class Broken(AssertionError):
    """A promise was broken; the message says which and how."""
