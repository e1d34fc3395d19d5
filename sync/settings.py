"""How a program reads its settings: a TOML file, then the environment, each checked at start."""

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

import msgspec

from sync.errors import BianminError

S = TypeVar("S", bound=msgspec.Struct)

Bound = tuple[str, bool, str]
"""A setting's name, whether its value can be used, and in words what is allowed."""
_KINDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}


class SettingRefused(BianminError):
    """A setting is unknown or its value cannot be used; the message says what is allowed."""

    code = "422.2"


def load(
    kind: type[S],
    *,
    prefix: str,
    file_name: str,
    bounds: Callable[[S], Iterable[Bound]],
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> S:
    """Read the settings: defaults, then the file, then the environment, then what was given.

    Args:
        kind: Struct of all settings, each with a default; one is `data_dir`, a folder.
        prefix: What a variable's name begins with; <prefix>CONFIG names another file.
        file_name: Of the TOML file in the data folder; it may be missing there.
        bounds: Answers the values that cannot be judged by their type alone.
        environment: Variables; the process's by default.
        given: Fields set by command line options; None = not given.

    Raises:
        SettingRefused: A name is unknown or a value cannot be used; the message says which,
            where it came from, and what is allowed.
    """
    variables = os.environ if environment is None else environment
    from_env: dict[str, Any] = {
        name.removeprefix(prefix).lower(): value
        for name, value in variables.items()
        if name.startswith(prefix)
    }
    named = from_env.pop("config", "")
    options = {name: value for name, value in (given or {}).items() if value is not None}
    folder = options.get("data_dir") or from_env.get("data_dir") or _default(kind, "data_dir")
    path = Path(named) if named else Path(folder) / file_name
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if named or path.exists():
        values = _file_values(path)
        sources = dict.fromkeys(values, str(path))
    values |= from_env | options
    sources |= {name: prefix + name.upper() for name in from_env}
    sources |= dict.fromkeys(options, "command line")
    settings = kind(**_converted(kind, values, sources))
    for name, is_good, allowed in bounds(settings):
        if not is_good:
            raise _refused(sources.get(name, "default"), name, getattr(settings, name), allowed)
    return settings


def is_base_url(url: str) -> bool:
    """Answer whether a URL is a scheme and a host and nothing else."""
    parts = urlsplit(url)
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and is_bare


def _default(kind: type[S], name: str) -> Any:
    return next(field.default for field in msgspec.structs.fields(kind) if field.name == name)


def _file_values(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingRefused(f"the settings file {path} cannot be read") from error
    except ValueError as error:
        raise SettingRefused(f"the settings file {path} is not TOML: {error}") from error


def _converted(
    kind: type[S], values: Mapping[str, Any], sources: Mapping[str, str]
) -> dict[str, Any]:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise SettingRefused(
                f"{sources[name]}: no setting is called {name!r}; known are {', '.join(fields)}"
            )
        try:
            converted[name] = _value(fields[name], value)
        except msgspec.ValidationError as error:
            raise _refused(sources[name], name, value, _kind_words(fields[name])) from error
    return converted


def _value(kind: Any, value: Any) -> Any:
    if Path in (kind, *get_args(kind)):
        # From a service's unit file the working directory is anywhere.
        folder = str(value) if isinstance(value, Path) else msgspec.convert(value, str)
        return Path(folder).expanduser().absolute() if folder else None
    if get_origin(kind) is tuple and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return msgspec.convert(value, kind, strict=False)


def _kind_words(kind: Any) -> str:
    if Path in (kind, *get_args(kind)):
        return "a folder"
    return _KINDS.get(kind) or " or ".join(map(str, get_args(kind)))


def _refused(source: str, name: str, value: object, allowed: str) -> SettingRefused:
    return SettingRefused(f"{source}: {name} = {value!r}; allowed is {allowed}")
