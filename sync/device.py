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
#: An identity that the centre has given and that is not in force here yet (`sync.former`).
NEXT_FILE = "kiosk-next.toml"


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
    #: File of its keys, beside this one. Each identity names its own, so that replacing this
    #: one file changes who the kiosk is in one step.
    keys_file: str = KEYS_FILE
    #: What is known of the board that it was enrolled on (`kiosk.machine`); "" nothing.
    board: str = ""


def load_identity(directory: Path) -> KioskIdentity:
    """Answer who this kiosk is.

    Raises:
        NotEnrolled: There is no readable identity.
    """
    return _read_identity(directory / IDENTITY_FILE)


def load_next(directory: Path) -> KioskIdentity | None:
    """Answer the identity that waits to be put in force; None when none does."""
    try:
        return _read_identity(directory / NEXT_FILE)
    except NotEnrolled:
        return None


def _read_identity(path: Path) -> KioskIdentity:
    try:
        fields = tomllib.loads(path.read_text("utf-8"))
        return msgspec.convert(fields, KioskIdentity)
    except (OSError, ValueError) as error:
        raise NotEnrolled("run `bianmin kiosk enrol` with a code from the centre") from error


def save_identity(directory: Path, identity: KioskIdentity, *, name: str = IDENTITY_FILE) -> None:
    """Write the identity so that it is there as a whole or not at all."""
    fields = msgspec.structs.asdict(identity)
    # JSON strings and integers are TOML's too.
    lines = (
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items()
    )
    write_whole(directory / name, "".join(lines).encode())


def load_keys(directory: Path) -> DeviceKeys:
    """Answer the device's keys.

    Raises:
        NotEnrolled: There is no readable key file.
    """
    try:
        name = load_identity(directory).keys_file
    except NotEnrolled:
        name = KEYS_FILE
    return read_keys(directory / name)


def load_device(directory: Path) -> tuple[KioskIdentity, DeviceKeys]:
    """Answer who this kiosk is and the keys of that very identity.

    Raises:
        NotEnrolled: There is no readable identity, or its keys are not readable.
    """
    identity = load_identity(directory)
    return identity, read_keys(directory / identity.keys_file)


def read_keys(path: Path) -> DeviceKeys:
    """Read one key file.

    Raises:
        NotEnrolled: It is not readable.
    """
    try:
        return DeviceKeys.from_bytes(path.read_bytes())
    except (OSError, WireError) as error:
        raise NotEnrolled("run `bianmin kiosk enrol` with a code from the centre") from error


def save_keys(directory: Path, keys: DeviceKeys, *, name: str = KEYS_FILE) -> None:
    """Write the keys, readable by this user only."""
    write_whole(directory / name, keys.to_bytes())
