"""The text on a second-generation resident's ID card: 256 bytes of UTF-16LE in fixed fields. Pure.

Source: GA/T 1011 and its readers' interfaces (name 30, sex 2, nation 4, birth 16, address 70,
number 36, issuer 30, from 16, until 16, new address 36). Permits of Hong Kong, Macao and Taiwan
(type J) have name and number in the same places; foreigners' cards (type I) have not, and are
typed in.
"""

from itertools import accumulate

import msgspec

from sync import identity

RECORD_BYTES = 256

#: Field and its bytes, in their order on the card.
_FIELDS: tuple[tuple[str, int], ...] = (
    ("name", 30),
    ("sex", 2),
    ("nation", 4),
    ("born", 16),
    ("address", 70),
    ("id_number", 36),
    ("issuer", 30),
    ("valid_from", 16),
    ("valid_until", 16),
    ("new_address", 36),
)
_ENDS = tuple(accumulate(size for _, size in _FIELDS))
#: Where types I and J say so; an ordinary card has blanks there.
_TYPE_PLACE = 248
_FOREIGN = "I"
_NAME_SIGNS = frozenset("·-'. ")


class CardUnreadable(Exception):
    """The bytes are no card that we can read; the message holds nothing of them."""


class CardRecord(msgspec.Struct, frozen=True):
    """What stands on a card. It never leaves the visit."""

    #: As registered, blanks and dots tidied.
    name: str
    #: 18 characters; its check digit fits.
    id_number: str
    #: "1" male, "2" female (GB/T 2261.1).
    sex: str
    #: Two digits (GB/T 3304).
    nation: str
    #: YYYYMMDD.
    born: str
    address: str
    issuer: str
    #: YYYYMMDD, and YYYYMMDD or "长期".
    valid_from: str
    valid_until: str
    new_address: str


def decode_record(raw: bytes) -> CardRecord:
    """Read a card's text.

    Args:
        raw: Exactly `RECORD_BYTES`.

    Raises:
        CardUnreadable: It is of another kind, or not whole: a card taken away too early gives
            zeros, a bad contact gives anything.
    """
    if len(raw) != RECORD_BYTES:
        raise CardUnreadable("not 256 bytes")
    if _text(raw[_TYPE_PLACE : _TYPE_PLACE + 2]) == _FOREIGN:
        raise CardUnreadable("a foreigner's card")
    texts = {
        name: _text(raw[end - size : end]) for (name, size), end in zip(_FIELDS, _ENDS, strict=True)
    }
    record = CardRecord(
        **texts
        | {
            "name": identity.normalise_name(texts["name"]),
            "id_number": identity.normalise_id_number(texts["id_number"]),
        }
    )
    if not record.name or not all(map(_is_of_name, record.name)):
        raise CardUnreadable("no name")
    if not identity.is_id_number(record.id_number):
        raise CardUnreadable("no number")
    if record.born != record.id_number[6:14]:
        raise CardUnreadable("number and birth date do not fit")
    return record


def encode_record(record: CardRecord) -> bytes:
    """Write a card's text, for simulators and tests; what is too long is cut."""
    return b"".join(
        getattr(record, name).ljust(size // 2).encode("utf-16-le")[:size] for name, size in _FIELDS
    )


def _is_of_name(letter: str) -> bool:
    return letter.isalpha() or letter in _NAME_SIGNS


def _text(raw: bytes) -> str:
    """Answer a field without its blanks; what is no text is no card.

    Raises:
        CardUnreadable: These bytes are no text.
    """
    try:
        text = raw.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise CardUnreadable("no text") from error
    text = text.replace("\0", " ").strip()
    if not text.isprintable():
        raise CardUnreadable("no text")
    return text
