"""What this machine is: its fingerprint for the centre."""

import hashlib
from pathlib import Path

from sync.enrolment import FINGERPRINT_BYTES

MACHINE_ID = Path("/etc/machine-id")


def fingerprint(path: Path = MACHINE_ID) -> bytes:
    """Answer a hash of this machine's id, 16 bytes; zeros when it has none."""
    try:
        machine = path.read_bytes().strip()
    except OSError:
        return bytes(FINGERPRINT_BYTES)
    return hashlib.sha256(b"bianmin/1/machine" + machine).digest()[:FINGERPRINT_BYTES]
