"""Who this kiosk is: its keys and what its enrolment said, as files beside the store."""

import json
import tomllib
from pathlib import Path

import msgspec

from sync.errors import BianminError
from sync.files import write_whole
from sync.octets import WireError
from sync.signing import DeviceKeys

KEYS_FILE = "device.key"
IDENTITY_FILE = "kiosk.toml"


class NotEnrolled(BianminError):
    """This kiosk has no identity yet, or its files are damaged; enrol it with a code."""

    code = "428.1"


class KioskIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an enrolment gave; written once."""

    kiosk_no: int
    name: str
    #: 12-digit statistical division code.
    village_code: str
    #: Scheme and host that phones deliver to; "" when the centre has none.
    public_url: str
    #: Ed25519 public key of the pinned root, hex.
    root_public: str
    #: Certificate of the enrolment, hex; newer ones are in the store.
    certificate: str
    #: Centre's epoch at enrolment.
    epoch: int


def load_identity(directory: Path) -> KioskIdentity:
    """Answer who this kiosk is.

    Raises:
        NotEnrolled: There is no readable identity.
    """
    try:
        fields = tomllib.loads((directory / IDENTITY_FILE).read_text("utf-8"))
        return msgspec.convert(fields, KioskIdentity)
    except (OSError, ValueError) as error:
        raise NotEnrolled("run `bianmin kiosk enrol` with a code from the centre") from error


def save_identity(directory: Path, identity: KioskIdentity) -> None:
    """Write the identity so that it is there as a whole or not at all."""
    fields = msgspec.structs.asdict(identity)
    # JSON strings and integers are TOML's too.
    lines = (
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items()
    )
    write_whole(directory / IDENTITY_FILE, "".join(lines).encode())


def load_keys(directory: Path) -> DeviceKeys:
    """Answer the device's keys.

    Raises:
        NotEnrolled: There is no readable key file.
    """
    try:
        return DeviceKeys.from_bytes((directory / KEYS_FILE).read_bytes())
    except (OSError, WireError) as error:
        raise NotEnrolled("run `bianmin kiosk enrol` with a code from the centre") from error


def save_keys(directory: Path, keys: DeviceKeys) -> None:
    """Write the keys, readable by this user only."""
    write_whole(directory / KEYS_FILE, keys.to_bytes())
