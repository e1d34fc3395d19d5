"""Settings of the centre: a TOML file, then the environment, each checked at start."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sync import limits, settings
from sync.frames import Durability

ENVIRONMENT = "BIANMIN_CENTRE_"
FILE_NAME = "centre.toml"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may choose; every field can be set as BIANMIN_CENTRE_<NAME>."""

    #: Folder of database, keys and vault; made by `bianmin centre init`.
    data_dir: Path = Path("centre-data")
    #: Address to listen on. TLS is the reverse proxy's (docs/operations.md).
    host: str = "127.0.0.1"
    #: Port to listen on, 0 to 65535; 0 takes a free one.
    port: int = 8420
    #: Scheme and host that phones reach; printed into every receipt's QR.
    public_url: str = "http://127.0.0.1:8420"
    #: Telephone number told to residents.
    hotline: str = "12345"
    #: Seconds a kiosk waits before the next exchange when all is well, 1 to 3600.
    retry_after_s: int = 60
    #: Bytes that one exchange may carry, 4096 to 262144.
    bytes_max: int = limits.FRAME_BYTES_MAX
    #: What an acknowledgement means: D0 one disk, D1 asynchronous copy, D2 synchronous copy.
    durability: Durability = "D0"
    #: Addresses of reverse proxies whose X-Forwarded-For is believed.
    trusted_proxies: tuple[str, ...] = ()

    @property
    def database(self) -> Path:
        """The centre's database file."""
        return self.data_dir / "centre.db"

    @property
    def keys_dir(self) -> Path:
        """Root and signing key, public sealing keys."""
        return self.data_dir / "keys"

    @property
    def vault_dir(self) -> Path:
        """Private sealing keys, index key and ledger: the vault's own."""
        return self.data_dir / "vault"

    @property
    def vault_socket(self) -> Path:
        """Unix socket of the vault, mode 600."""
        return self.data_dir / "vault.sock"

    @property
    def is_https(self) -> bool:
        """Whether people reach the centre over TLS; decides the cookie's name and flags."""
        return self.public_url.lower().startswith("https://")


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings of the centre; see `sync.settings.load`.

    Raises:
        SettingRefused: A name is unknown or a value cannot be used.
    """
    return settings.load(
        Settings,
        prefix=ENVIRONMENT,
        file_name=FILE_NAME,
        bounds=_bounds,
        environment=environment,
        given=given,
    )


def _bounds(chosen: Settings) -> Iterator[settings.Bound]:
    bytes_min, bytes_max = limits.ENVELOPE_BYTES_MAX, limits.FRAME_BYTES_MAX
    yield "port", 0 <= chosen.port <= 65535, "0 to 65535"
    yield "retry_after_s", 1 <= chosen.retry_after_s <= 3600, "1 to 3600 seconds"
    is_size_good = bytes_min <= chosen.bytes_max <= bytes_max
    yield "bytes_max", is_size_good, f"{bytes_min} to {bytes_max} bytes"
    is_base = settings.is_base_url(chosen.public_url)
    yield "public_url", is_base, "http(s)://host, without a path"
    yield "hotline", chosen.hotline.strip() != "", "a telephone number"
