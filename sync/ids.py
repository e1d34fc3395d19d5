"""Numbers that name things: UUIDv7 for machines, case numbers for people."""

from sync.clock import Entropy


def uuid7(now_ms: int, entropy: Entropy) -> bytes:
    """Mint a time-ordered id of 16 bytes.

    Args:
        now_ms: Unix milliseconds, below 2**48.
        entropy: Source of the 74 random bits.

    Source: RFC 9562 section 5.7.
    """
    random = int.from_bytes(entropy.token_bytes(10), "big")
    value = (now_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return value.to_bytes(16, "big")


def uuid7_ms(transaction_id: bytes) -> int:
    """Answer the Unix milliseconds that a UUIDv7 carries."""
    return int.from_bytes(transaction_id[:6], "big")


def case_number(kiosk_no: int, seq: int) -> str:
    """Make the number that people see, offline: 4 kiosk + 6 sequence + 2 check digits.

    Args:
        kiosk_no: 1 to 9999, given at enrolment and never used again.
        seq: The envelope's sequence number, 1 to 999999.

    Raises:
        ValueError: A part is out of range.

    Source: ISO 7064 MOD 97-10.

    >>> case_number(42, 137)
    '004200013768'
    """
    if not (0 < kiosk_no <= 9999 and 0 < seq <= 999_999):
        raise ValueError(f"case number needs kiosk 1-9999 and seq 1-999999, got {kiosk_no}, {seq}")
    stem = f"{kiosk_no:04d}{seq:06d}"
    return f"{stem}{98 - int(stem) * 100 % 97:02d}"


def is_case_number(text: str) -> bool:
    """Answer whether the text is twelve digits whose check digits fit (ISO 7064 MOD 97-10)."""
    return len(text) == 12 and text.isascii() and text.isdigit() and int(text) % 97 == 1


def case_parts(case_no: str) -> tuple[int, int]:
    """Answer kiosk number and sequence of a case number.

    Raises:
        ValueError: The check digits do not fit.
    """
    if not is_case_number(case_no):
        raise ValueError("not a case number")
    return int(case_no[:4]), int(case_no[4:10])


def spaced(case_no: str) -> str:
    """Write a case number in three groups of four, as it is read over the phone."""
    return f"{case_no[:4]} {case_no[4:8]} {case_no[8:]}"
