"""A pyttsx3 driver for espeak-ng that waits, and that does not hide errors.

pyttsx3's own driver returns before the file exists, drops the rate at random,
forgets all but the last file and swallows errors (research/voice.md 1.1).
This one runs espeak-ng synchronously: `runAndWait` returns when the sound is
complete, or raises. One `save_to_file` per `runAndWait`, one engine per
process: espeak's state is global to the process.
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import msgspec

from voice_prompts.errors import RenderFailed, ToolMissing
from voice_prompts.limits import SAMPLE_RATE_HZ
from voice_prompts.sound import wav_bytes

#: As a file name: keep the sound in memory, for what a resident typed.
IN_MEMORY = ":memory:"

_DRIVER_NAME = "bianmin_synchronous"


class Voice(msgspec.Struct, frozen=True):
    """How to speak; every field changes the sound, so all are in a clip's key."""

    #: espeak-ng's exact name. Never "cmn": that one spells Chinese as English.
    name: str
    #: Words a minute, 80 … 450.
    rate: int
    #: 0 … 100.
    pitch: int
    #: 0 … 100; espeak's own scale, loudness is set afterwards.
    volume: int


class Engine(Protocol):
    """A text-to-speech engine that renders one text at a time."""

    #: espeak-ng's version, such as "1.51".
    version: str

    def synthesise(self, voice: Voice, text: str, file: Path | None = None) -> bytes:
        """Render a text; 16-bit mono samples at `SAMPLE_RATE_HZ`, little-endian."""


class _Pyttsx3Engine:
    def __init__(self, engine: Any, version: str) -> None:
        self._engine = engine
        self.version = version

    def synthesise(self, voice: Voice, text: str, file: Path | None = None) -> bytes:
        for name in ("voice", "rate", "pitch", "volume"):
            value = voice.name if name == "voice" else getattr(voice, name)
            self._engine.setProperty(name, value)
        self._engine.save_to_file(text, str(file) if file else IN_MEMORY)
        self._engine.runAndWait()
        samples: bytes = self._engine.proxy._driver.samples  # noqa: SLF001 -- ours, set above
        if not samples:
            raise RenderFailed("espeak-ng gave no sound for this text")
        return samples


def open_engine() -> Engine:
    """Start the process's one engine.

    Returns:
        The engine; pyttsx3 keeps one per driver name and process.

    Raises:
        ToolMissing: espeak-ng or its data is missing, or speaks at another rate.
    """
    try:
        import pyttsx3  # noqa: PLC0415 -- loads the espeak-ng library
        from pyttsx3.drivers import _espeak, espeak  # noqa: PLC0415
    except (ImportError, OSError, RuntimeError) as error:
        raise ToolMissing("espeak-ng is missing: apt install espeak-ng") from error
    module = ModuleType(f"pyttsx3.drivers.{_DRIVER_NAME}")
    driver_class = _driver_class(_espeak, espeak.EspeakDriver)
    module.buildDriver = driver_class  # type: ignore[attr-defined]  # pyttsx3 looks it up by name
    sys.modules[module.__name__] = module
    if not espeak.EspeakDriver._moduleInitialized:  # noqa: SLF001 -- the stock flag, see below
        sample_rate = _espeak.Initialize(_espeak.AUDIO_OUTPUT_SYNCHRONOUS, 1000)
        if sample_rate != SAMPLE_RATE_HZ:
            raise ToolMissing(f"espeak-ng did not start (it answered {sample_rate}); reinstall it")
        # Marked, so that the stock class does not initialise again, asynchronously.
        espeak.EspeakDriver._moduleInitialized = True  # noqa: SLF001
        espeak.EspeakDriver._defaultVoice = "en-us"  # noqa: SLF001
    version = _espeak.Info(None).decode().split(" ")[0]
    start: Any = pyttsx3.init
    return _Pyttsx3Engine(start(_DRIVER_NAME), version)


def _driver_class(  # noqa: C901 -- a class whose base exists only once espeak-ng is loaded
    espeak: Any, stock: Any
) -> Callable[[Any], Any]:
    class SynchronousDriver(stock):  # type: ignore[misc]  # pyttsx3 has no types
        # pyttsx3's own names; set by save_to_file.
        _save_file: str | None
        _text_to_say: str | None

        def __init__(self, proxy: Any) -> None:
            self.samples = b""
            self._settings: dict[str, Any] = {}
            self._chunks: list[bytes] = []
            super().__init__(proxy)

        def setProperty(self, name: str, value: Any) -> None:  # noqa: N802 -- pyttsx3's name
            # Only noted: errors raised here would be swallowed by pyttsx3's queue,
            # and espeak may forget what is set long before it speaks.
            self._settings[name] = value

        def stop(self) -> None:
            """Do nothing: Cancel() purges settings, and nothing runs between texts."""

        def _start_synthesis(self, text: str) -> None:
            target = self._save_file or IN_MEMORY
            self._save_file = self._text_to_say = None
            self.samples, self._chunks = b"", []
            self._proxy.setBusy(True)
            self._proxy.notify("started-utterance")
            self._apply_settings()
            flags = espeak.ENDPAUSE | espeak.CHARS_UTF8
            if code := espeak.Synth(text.encode(), flags=flags):
                raise RenderFailed(f"espeak-ng answered {code} instead of speaking")
            self.samples = b"".join(self._chunks)
            if target != IN_MEMORY:
                _write_wav(Path(target), self.samples)
            self._proxy.notify("finished-utterance", completed=True)
            self._proxy.setBusy(False)
            self.endLoop()

        def _apply_settings(self) -> None:
            name = str(self._settings["voice"])
            if code := espeak.SetVoiceByName(name.encode()):
                raise ToolMissing(f"espeak-ng has no voice {name!r} (it answered {code})")
            now = espeak.GetCurrentVoice().contents.identifier.decode()
            if now.rpartition("/")[2].lower() != name.lower():
                raise ToolMissing(f"espeak-ng took the voice {now!r} instead of {name!r}")
            for parameter, key in (
                (espeak.RATE, "rate"),
                (espeak.PITCH, "pitch"),
                (espeak.VOLUME, "volume"),
            ):
                if code := espeak.SetParameter(parameter, int(self._settings[key]), 0):
                    raise ToolMissing(f"espeak-ng refused the {key} (it answered {code})")

        def _onSynth(self, wav: Any, count: int, events: Any) -> int:  # noqa: ARG002, N802
            if wav and count > 0:
                self._chunks.append(ctypes.string_at(wav, count * 2))
            return 0

    return SynchronousDriver


def _write_wav(path: Path, samples: bytes) -> None:
    """Write by way of a temporary name, so that no half file is ever seen."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(wav_bytes(samples))
    partial.replace(path)
