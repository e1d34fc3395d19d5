"""Becoming a kiosk: keys made here, one code from the centre, an identity written once."""

import hashlib
import os
from pathlib import Path

from sync.clock import Entropy
from sync.device import (
    KioskIdentity,
    NotEnrolled,
    load_identity,
    load_keys,
    save_identity,
    save_keys,
)
from sync.enrolment import FINGERPRINT_BYTES, decode_enrol_reply, encode_enrol_request
from sync.signing import DeviceKeys
from sync.transports import ENROL_PATH, Link

MACHINE_ID = Path("/etc/machine-id")


def fingerprint() -> bytes:
    """Answer a hash of this machine's id, 16 bytes; zeros when it has none."""
    try:
        machine = MACHINE_ID.read_bytes().strip()
    except OSError:
        return bytes(FINGERPRINT_BYTES)
    return hashlib.sha256(b"bianmin/1/machine" + machine).digest()[:FINGERPRINT_BYTES]


async def enrol(directory: Path, link: Link, code: str, entropy: Entropy | None) -> KioskIdentity:
    """Show the code to the centre and write down who this kiosk is now.

    The keys are on the disk before the code is used: when the answer is lost, the same kiosk
    asks again with the same keys and the same code.

    Args:
        directory: The kiosk's data folder; made if missing, for this user only.
        link: Way to the centre.
        code: XXXX-XXXX-XXXX as somebody typed it.
        entropy: Source of the keys; None = the system's.

    Returns:
        The identity, which is on the disk.

    Raises:
        EnrolmentRefused: The code is wrong or used, or the answer is not the centre's.
        LinkDown: No answer came.
    """
    keys = _own_keys(directory, entropy)
    request = encode_enrol_request(code, keys, fingerprint())
    reply = await link.post(ENROL_PATH, request)
    told = decode_enrol_reply(reply, request_raw=request, code=code)
    identity = KioskIdentity(
        kiosk_no=told.kiosk_no,
        name=told.name,
        village_code=told.village_code,
        public_url=told.public_url,
        root_public=told.root_public.hex(),
        certificate=told.certificate.to_bytes().hex(),
        epoch=told.epoch,
    )
    save_identity(directory, identity)
    return identity


def _own_keys(directory: Path, entropy: Entropy | None) -> DeviceKeys:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    try:
        return load_keys(directory)
    except NotEnrolled:
        keys = DeviceKeys.generate(entropy)
        save_keys(directory, keys)
        return keys


def is_enrolled(directory: Path) -> bool:
    """Answer whether this folder already holds an identity."""
    try:
        load_identity(directory)
    except NotEnrolled:
        return False
    return os.access(directory, os.R_OK)
