"""Settings of a kiosk: a TOML file, then the environment, each checked at start."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kiosk.errors import SettingRefused
from sync.limits import IDLE_S

ENVIRONMENT = "BIANMIN_KIOSK_"
FILE_NAME = "settings.toml"
DATA_DIR = Path("kiosk-data")
_PATHS = frozenset({"data_dir", "voice_dir", "recordings_dir"})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an installer may choose; every field can be set as BIANMIN_KIOSK_<NAME>."""

    #: Folder of store, keys and identity; made by `bianmin kiosk enrol`.
    data_dir: Path = DATA_DIR
    #: Address to listen on; the page is for this machine's own screen.
    host: str = "127.0.0.1"
    #: Port to listen on, 0 to 65535; 0 takes a free one.
    port: int = 8420
    #: Scheme and host of the centre.
    centre_url: str = "http://127.0.0.1:8421"
    #: Folder of the rendered sentences; "" = where `bianmin voice render` puts them.
    voice_dir: Path | None = None
    #: Folder of recordings by people, one subfolder a language; "" = none.
    recordings_dir: Path | None = None
    #: Speak with the machine's own voice what has no clip.
    has_live_voice: bool = True
    #: The screen as it hangs: pixels and inches, so that sizes can be real millimetres.
    width_px: int = 1024
    height_px: int = 600
    diagonal_in: float = 10.1
    #: Seconds without a touch until “are you still there?”, 60 to 300.
    idle_s: int = IDLE_S
    #: The place's offset from UTC in minutes, -720 to 840; China is 480.
    utc_offset_min: int = 480
    #: Whether a slip printer hangs on it.
    has_printer: bool = False

    @property
    def database(self) -> Path:
        """The kiosk's store."""
        return self.data_dir / "kiosk.db"


def load(
    environment: Mapping[str, str] | None = None, file: Path | None = None, **given: Any
) -> Settings:
    """Read the settings: defaults, then the file, then the environment, then what was given.

    Args:
        environment: Variables; the process's by default. BIANMIN_KIOSK_CONFIG names the file.
        file: A TOML file; by default `settings.toml` in the data folder when it is there.
        **given: Fields set by command line options; None = not given.

    Raises:
        SettingRefused: A name is unknown or a value cannot be used; the message says which,
            where it came from, and what is allowed.
    """
    variables = os.environ if environment is None else environment
    from_env = {
        name.removeprefix(ENVIRONMENT).lower(): value
        for name, value in variables.items()
        if name.startswith(ENVIRONMENT)
    }
    named = from_env.pop("config", "")
    given = {name: value for name, value in given.items() if value is not None}
    folder = Path(given.get("data_dir") or from_env.get("data_dir") or DATA_DIR)
    path = file or (Path(named) if named else folder / FILE_NAME)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if file or named or path.exists():
        values = _file_values(path)
        sources = dict.fromkeys(values, str(path))
    values |= from_env
    sources |= {name: ENVIRONMENT + name.upper() for name in from_env}
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


def _checked(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    allowed = {field.name: field for field in msgspec.structs.fields(Settings)}
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in allowed:
            raise SettingRefused(
                f"{sources[name]}: no setting is called {name!r}; known are {', '.join(allowed)}"
            )
        if name in _PATHS:
            converted[name] = Path(value).expanduser().absolute() if value else None
            continue
        try:
            converted[name] = msgspec.convert(value, allowed[name].type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingRefused(
                f"{sources[name]}: {name} = {value!r} is no {allowed[name].type}"
            ) from error
    settings = Settings(**converted)
    for name, is_good, wanted in (
        ("port", 0 <= settings.port <= 65535, "0 to 65535"),
        ("centre_url", _is_base(settings.centre_url), "http(s)://host, without a path"),
        ("width_px", 320 <= settings.width_px <= 7680, "320 to 7680 pixels"),
        ("height_px", 320 <= settings.height_px <= 7680, "320 to 7680 pixels"),
        ("diagonal_in", 5 <= settings.diagonal_in <= 100, "5 to 100 inches"),
        ("idle_s", 60 <= settings.idle_s <= 300, "60 to 300 seconds"),
        ("utc_offset_min", -720 <= settings.utc_offset_min <= 840, "-720 to 840 minutes"),
    ):
        if not is_good:
            source = sources.get(name, "default")
            raise SettingRefused(
                f"{source}: {name} = {getattr(settings, name)!r}; allowed is {wanted}"
            )
    return settings


def _is_base(url: str) -> bool:
    parts = urlsplit(url)
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and is_bare
