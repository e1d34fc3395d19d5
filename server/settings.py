"""Settings of the centre: a TOML file, then the environment, each checked at start."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from server.errors import SettingRefused
from sync import limits
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


def load(
    environment: Mapping[str, str] | None = None, file: Path | None = None, **given: Any
) -> Settings:
    """Read the settings: defaults, then the file, then the environment, then what was given.

    Args:
        environment: Variables; the process's by default. BIANMIN_CENTRE_CONFIG names the file.
        file: A TOML file; by default `centre.toml` in the data folder when it is there.
        **given: Fields set by command line options; None = not given.

    Raises:
        SettingRefused: A name is unknown or a value cannot be used; the message says which,
            where it came from, and what is allowed.
    """
    variables = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    from_env = {
        name.removeprefix(ENVIRONMENT).lower(): value
        for name, value in variables.items()
        if name.startswith(ENVIRONMENT)
    }
    named = from_env.pop("config", "")
    given = {name: value for name, value in given.items() if value is not None}
    folder = Path(given.get("data_dir") or from_env.get("data_dir") or Settings().data_dir)
    path = file or (Path(named) if named else folder / FILE_NAME)
    if file or named or path.exists():
        for name, value in _file_values(path).items():
            values[name], sources[name] = value, str(path)
    for name, value in from_env.items():
        values[name] = _split(value) if name == "trusted_proxies" else value
        sources[name] = ENVIRONMENT + name.upper()
    values |= given
    sources |= dict.fromkeys(given, "command line")
    return _checked(values, sources)


def _file_values(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingRefused(f"the settings file {path} cannot be read") from error
    except ValueError as error:
        raise SettingRefused(f"the settings file {path} is not TOML: {error}") from error


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _checked(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    allowed = {field.name: field for field in msgspec.structs.fields(Settings)}
    for name, value in values.items():
        if name not in allowed:
            raise SettingRefused(
                f"{sources[name]}: no setting is called {name!r}; known are {', '.join(allowed)}"
            )
        if name == "data_dir":
            continue
        try:
            values[name] = msgspec.convert(value, allowed[name].type, strict=False)
        except msgspec.ValidationError as error:
            kind = _type_name(allowed[name].type)
            raise SettingRefused(
                f"{sources[name]}: {name} = {value!r}; allowed is {kind}"
            ) from error
    if "data_dir" in values:
        values["data_dir"] = Path(values["data_dir"]).expanduser().absolute()
    settings = Settings(**values)
    for name, is_good, wanted in (
        ("port", 0 <= settings.port <= 65535, "0 to 65535"),
        ("retry_after_s", 1 <= settings.retry_after_s <= 3600, "1 to 3600 seconds"),
        (
            "bytes_max",
            limits.ENVELOPE_BYTES_MAX <= settings.bytes_max <= limits.FRAME_BYTES_MAX,
            f"{limits.ENVELOPE_BYTES_MAX} to {limits.FRAME_BYTES_MAX} bytes",
        ),
        ("public_url", _is_base(settings.public_url), "http(s)://host, without a path"),
        ("hotline", settings.hotline.strip() != "", "a telephone number"),
    ):
        if not is_good:
            source = sources.get(name, "default")
            raise SettingRefused(
                f"{source}: {name} = {getattr(settings, name)!r}; allowed is {wanted}"
            )
    return settings


def _type_name(kind: Any) -> str:
    words = getattr(kind, "__args__", ())
    return " or ".join(map(str, words)) if words else str(getattr(kind, "__name__", kind))


def _is_base(url: str) -> bool:
    parts = urlsplit(url)
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and is_bare
