"""Finding one's matters without the slip: a slow, salted tag of ID number and phone tail. Pure.

The kiosk keeps neither number. Whoever steals its disk has to try each of the 10^4 tails with
each ID number they think of, 50 ms and 16 MiB a try, for this one kiosk's salt.
"""

import hashlib
from collections.abc import Mapping, Sequence

from sync.limits import SCRYPT_N

TAG_BYTES = 16
PHONE_TAIL_DIGITS = 4
#: Answers whose last digits a resident may have given as "their" phone.
PHONE_QUESTIONS: tuple[str, ...] = ("phone", "agent_phone")


def kiosk_salt(keys_raw: bytes) -> bytes:
    """Answer the salt of one kiosk: a hash of its device keys, never the same on another."""
    return hashlib.sha256(b"bianmin/1/person" + keys_raw).digest()


def person_tag(id_number: str, phone_tail: str, salt: bytes) -> bytes:
    """Answer what stands for a person on this kiosk (scrypt, about 50 ms).

    Args:
        id_number: 18 characters, tidied.
        phone_tail: The last four digits of a phone they gave.
        salt: `kiosk_salt`.

    Source: RFC 7914.
    """
    secret = f"{id_number}:{phone_tail}".encode()
    return hashlib.scrypt(
        secret, salt=salt, n=SCRYPT_N, r=8, p=1, maxmem=64 * 1024 * 1024, dklen=TAG_BYTES
    )


Person = tuple[str, str]
"""An ID number and a phone's tail."""


def people_of(answers: Mapping[str, str]) -> tuple[Person, ...]:
    """Answer by whom a transaction can be found again; () without ID or phone."""
    id_number = answers.get("id_number", "")
    tails = {
        digits[-PHONE_TAIL_DIGITS:]
        for name in PHONE_QUESTIONS
        if len(digits := _digits(answers.get(name, ""))) >= PHONE_TAIL_DIGITS
    }
    return tuple((id_number, tail) for tail in sorted(tails) if id_number)


def tags_of(people: Sequence[Person], salt: bytes) -> tuple[bytes, ...]:
    """Answer the tags of people (50 ms each)."""
    return tuple(person_tag(id_number, tail, salt) for id_number, tail in people)


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character.isdigit())
