"""Photos, signatures and recordings of the running visit: in memory, never on the disk."""

from collections import Counter

from kiosk.errors import AttachmentRefused, AttachmentTooLarge
from kiosk.media import MediaType
from sync.forms import Service
from sync.handwriting import attachments_of
from sync.limits import ATTACHMENTS_MAX
from sync.records import Attachment, Transaction


class Drafts:
    """What the resident has given beside words."""

    def __init__(self) -> None:
        self._held: dict[str, list[tuple[MediaType, bytes]]] = {}

    def put(self, question: str, index: int, media_type: MediaType, content: bytes) -> int:
        """Hold one attachment and answer how many the question has now.

        Args:
            question: Question id.
            index: From 0; the same index again replaces, the next one adds.
            media_type: As `media.checked_media` found it.
            content: All octets.

        Raises:
            AttachmentRefused: `index` leaves a gap.
            AttachmentTooLarge: More than `ATTACHMENTS_MAX` in one transaction.
        """
        held = self._held.get(question, [])
        if not 0 <= index <= len(held):
            raise AttachmentRefused("attachments are given one after the other")
        if index == len(held):
            if sum(map(len, self._held.values())) >= ATTACHMENTS_MAX:
                raise AttachmentTooLarge("there are enough attachments; remove one first")
            self._held[question] = [*held, (media_type, content)]
        else:
            held[index] = (media_type, content)
        return len(self._held[question])

    def held(self, question: str, index: int) -> tuple[MediaType, bytes] | None:
        """Answer one attachment, to be looked at or heard again; None when there is none."""
        held = self._held.get(question, [])
        return held[index] if 0 <= index < len(held) else None

    def discard(self, question: str) -> None:
        """Forget the attachments of one question."""
        self._held.pop(question, None)

    def wipe(self) -> None:
        """Forget all."""
        self._held.clear()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return not self._held

    def attachments(self, transaction: Transaction, service: Service) -> tuple[Attachment, ...]:
        """Answer what belongs to a transaction, numbered in `attachments_of`'s order.

        What was photographed for a question that is hidden now stays behind, and so does the
        drawing of a name that was then put in by letters.
        """
        announced = Counter(q.id for q in attachments_of(service, transaction.answers))
        found = [
            (question, media_type, content)
            for question, count in announced.items()
            for media_type, content in self._held.get(question, [])[:count]
        ]
        return tuple(
            Attachment(question=question, index=index, media_type=media_type, content=content)
            for index, (question, media_type, content) in enumerate(found)
        )
