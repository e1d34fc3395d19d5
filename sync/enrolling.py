"""Taking a kiosk in: the one exchange that a person's code starts."""

from pathlib import Path

from sync.clock import Entropy
from sync.device import KioskIdentity, NotEnrolled, load_keys, save_identity, save_keys
from sync.enrolment import Enrolment, decode_enrol_reply, encode_enrol_request
from sync.signing import DeviceKeys
from sync.transports import ENROL_PATH, Link


async def enrol(
    link: Link, directory: Path, code: str, *, entropy: Entropy, fingerprint: bytes = bytes(16)
) -> KioskIdentity:
    """Enrol this kiosk and write who it is.

    The keys are on disk before they are shown to anyone, so that a lost answer is asked for
    again with the same keys and the same code: the centre answers a known key again.

    Args:
        link: Way to the centre.
        directory: Where identity and keys are kept.
        code: As the installer typed it.
        entropy: Source of the keys.
        fingerprint: Keyed hash of the hardware's serial numbers, 16 bytes.

    Raises:
        EnrolmentRefused: The code is malformed, or another centre answered.
        CentreRefused: The centre said no; `problem` "403.1" means a wrong or used code.
        LinkDown: No answer came; try again with the same code.
    """
    keys = _kept_keys(directory, entropy)
    request_raw = encode_enrol_request(code, keys, fingerprint)
    reply_raw = await link.post(ENROL_PATH, request_raw)
    enrolment = decode_enrol_reply(reply_raw, request_raw=request_raw, code=code)
    identity = identity_of(enrolment)
    save_identity(directory, identity)
    return identity


def _kept_keys(directory: Path, entropy: Entropy) -> DeviceKeys:
    try:
        return load_keys(directory)
    except NotEnrolled:
        keys = DeviceKeys.generate(entropy)
        save_keys(directory, keys)
        return keys


def identity_of(enrolment: Enrolment) -> KioskIdentity:
    """Answer what a kiosk keeps of its enrolment."""
    return KioskIdentity(
        kiosk_no=enrolment.kiosk_no,
        name=enrolment.name,
        village_code=enrolment.village_code,
        public_url=enrolment.public_url,
        root_public=enrolment.root_public.hex(),
        certificate=enrolment.certificate.to_bytes().hex(),
        epoch=enrolment.epoch,
    )
