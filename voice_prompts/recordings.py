"""Human voices: files dropped into a folder, which go before the rendered clips.

The rules for those who record are in recordings/README.md.
"""

import hashlib
import re
import tomllib
import wave
from collections.abc import Mapping
from pathlib import Path

import msgspec

from voice_prompts.errors import RecordingWrong
from voice_prompts.limits import RECORDING_BYTES_MAX, RECORDINGS_COUNT_MAX

#: The kinds of file that browsers play and that need no tool to measure.
MEDIA_TYPES: Mapping[str, str] = {
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
}


class Recording(msgspec.Struct, frozen=True):
    """One recorded file."""

    #: SHA-256 of the file, hexadecimal.
    key: str
    path: Path
    media_type: str
    #: Milliseconds; 0 = the file is not what its name says.
    duration_ms: int


def comparable(text: str) -> str:
    """Answer a text as recordings are matched: white space does not count.

    >>> comparable(" Received.  Thank you. ")
    'Received.Thankyou.'
    """
    return re.sub(r"\s+", "", text)


def load_recordings(folder: Path, sources: Mapping[str, str]) -> dict[str, Recording]:
    """Read one language's folder of recordings.

    Args:
        folder: `<recordings>/<language>`; it may be absent.
        sources: Prompt id → whole text, to understand files named by an id.

    Returns:
        Recordings by `comparable` text. A text of pack.toml goes before an id.

    Raises:
        RecordingWrong: pack.toml is broken or names an absent file, or there
            are more or larger files than the limits allow.
    """
    if not folder.is_dir():
        return {}
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in MEDIA_TYPES)
    if len(files) > RECORDINGS_COUNT_MAX:
        raise RecordingWrong(f"{folder.name}: more than {RECORDINGS_COUNT_MAX} files")
    said = {path.name: sources[path.stem] for path in files if path.stem in sources}
    pack = _pack(folder / "pack.toml")
    listed_names = set(pack.values())
    chosen = {comparable(text): name for name, text in said.items() if name not in listed_names}
    chosen.update({comparable(text): name for text, name in pack.items()})
    return {text: _recording(folder / name) for text, name in chosen.items()}


def _pack(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        clips = tomllib.loads(path.read_text("utf-8")).get("clips", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecordingWrong(f"{path.parent.name}/pack.toml: {error}") from error
    found = {}
    for text, name in clips.items():
        if not isinstance(name, str) or Path(name).name != name:
            raise RecordingWrong(f"{path.parent.name}/pack.toml: {text!r} needs a plain file name")
        if Path(name).suffix.lower() not in MEDIA_TYPES:
            raise RecordingWrong(f"{path.parent.name}/pack.toml: {name} is not .wav, .ogg or .opus")
        # A script handed to a speaker lists all texts; those not yet recorded are skipped.
        if (path.parent / name).is_file():
            found[text] = name
    return found


def _recording(path: Path) -> Recording:
    if path.stat().st_size > RECORDING_BYTES_MAX:
        raise RecordingWrong(f"{path.name} is larger than {RECORDING_BYTES_MAX} bytes; shorten it")
    content = path.read_bytes()
    suffix = path.suffix.lower()
    return Recording(
        key=hashlib.sha256(content).hexdigest(),
        path=path,
        media_type=MEDIA_TYPES[suffix],
        duration_ms=_wav_ms(path) if suffix == ".wav" else ogg_ms(content),
    )


def _wav_ms(path: Path) -> int:
    try:
        with path.open("rb") as file, wave.open(file, "rb") as wav:
            return round(wav.getnframes() * 1000 / wav.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return 0


def ogg_ms(content: bytes) -> int:
    """Answer an Ogg file's length in milliseconds, 0 if it is neither Opus nor Vorbis.

    The last page's granule position counts samples: at 48 kHz less the
    pre-skip in Opus (RFC 7845 section 4), at the stream's own rate in Vorbis.
    """
    last = content.rfind(b"OggS")
    granule = int.from_bytes(content[last + 6 : last + 14], "little") if last >= 0 else 0
    if (head := content.find(b"OpusHead")) >= 0:
        skipped = int.from_bytes(content[head + 10 : head + 12], "little")
        return round(max(0, granule - skipped) / 48)
    if (head := content.find(b"\x01vorbis")) >= 0:
        rate = int.from_bytes(content[head + 12 : head + 16], "little")
        return round(granule * 1000 / rate) if rate else 0
    return 0
