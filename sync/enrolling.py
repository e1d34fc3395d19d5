"""Taking a kiosk in: the one exchange that a person's code starts."""

from pathlib import Path

from sync.clock import Entropy
from sync.device import (
    NEXT_FILE,
    KioskIdentity,
    NotEnrolled,
    load_identity,
    load_next,
    read_keys,
    save_identity,
    save_keys,
)
from sync.enrolment import Enrolment, decode_enrol_reply, encode_enrol_request, locator_of
from sync.signing import DeviceKeys
from sync.transports import ENROL_PATH, Link


async def enrol(
    link: Link,
    directory: Path,
    code: str,
    *,
    entropy: Entropy,
    fingerprint: bytes = bytes(16),
    board: str = "",
) -> KioskIdentity:
    """Enrol this kiosk and write who it is.

    The keys are on disk before they are shown to anyone, so that a lost answer is asked for
    again with the same keys and the same code: the centre answers a known key again. Another
    code makes other keys.

    A kiosk that has an identity keeps it: the new one lies beside it until
    `former.change_over` puts it in force. The code that made the present identity, typed once
    more, changes nothing.

    Args:
        link: Way to the centre.
        directory: Where identity and keys are kept.
        code: As the installer typed it.
        entropy: Source of the keys.
        fingerprint: Keyed hash of the hardware's serial numbers, 16 bytes.
        board: What `kiosk.machine` knows of this board, kept with the identity.

    Raises:
        EnrolmentRefused: The code is malformed, or another centre answered.
        CentreRefused: The centre said no; `problem` "403.1" means a wrong or used code.
        LinkDown: No answer came; try again with the same code.
    """
    name = f"device-{locator_of(code)}.key"
    for known in (load_next(directory), _present(directory)):
        if known is not None and known.keys_file == name:
            return known
    keys = _kept_keys(directory, name, entropy)
    request_raw = encode_enrol_request(code, keys, fingerprint)
    reply_raw = await link.post(ENROL_PATH, request_raw)
    enrolment = decode_enrol_reply(reply_raw, request_raw=request_raw, code=code)
    identity = identity_of(enrolment, keys_file=name, board=board)
    if _present(directory) is None:
        save_identity(directory, identity)
    else:
        save_identity(directory, identity, name=NEXT_FILE)
    return identity


def _present(directory: Path) -> KioskIdentity | None:
    try:
        return load_identity(directory)
    except NotEnrolled:
        return None


def _kept_keys(directory: Path, name: str, entropy: Entropy) -> DeviceKeys:
    try:
        return read_keys(directory / name)
    except NotEnrolled:
        keys = DeviceKeys.generate(entropy)
        save_keys(directory, keys, name=name)
        return keys


def identity_of(enrolment: Enrolment, *, keys_file: str, board: str = "") -> KioskIdentity:
    """Answer what a kiosk keeps of its enrolment."""
    return KioskIdentity(
        kiosk_no=enrolment.kiosk_no,
        name=enrolment.name,
        village_code=enrolment.village_code,
        public_url=enrolment.public_url,
        root_public=enrolment.root_public.hex(),
        certificate=enrolment.certificate.to_bytes().hex(),
        epoch=enrolment.epoch,
        keys_file=keys_file,
        board=board,
    )
