"""What can go wrong with words and voices; each error has a stable code."""


class VoiceError(Exception):
    """Root of the voice's errors.

    `voice_prompts` imports nothing of ours, so this root stands beside
    `sync.errors.BianminError` and follows its rule: one stable `code` each.
    """

    code = "460.0"


class WordingMissing(VoiceError, KeyError):
    """A text file has no such key, language or slot value."""

    code = "460.1"

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class WordingBroken(VoiceError):
    """A text file cannot be read: the message names the file and the key."""

    code = "460.2"


class SlotValueWrong(VoiceError, ValueError):
    """A `Spoken` value does not have its kind's shape; the message tells the kind only."""

    code = "460.3"


class SlotMissing(VoiceError, KeyError):
    """A template asks for a slot that the caller did not give."""

    code = "460.4"

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class TextUnspeakable(VoiceError, ValueError):
    """A text holds characters or words that no rule knows how to say."""

    code = "460.5"


class SpeechUnavailable(VoiceError):
    """The live voice cannot speak now; show the text and offer a helper."""

    code = "460.6"


class RenderFailed(VoiceError):
    """One prompt could not be turned into a clip; the message says why."""

    code = "460.7"


class ToolMissing(VoiceError):
    """A program of the build machine (espeak-ng, ffmpeg) is missing or broken."""

    code = "460.8"


class RecordingWrong(VoiceError):
    """A recordings folder or its pack.toml breaks a rule of recordings/README.md."""

    code = "460.9"


class PackWrong(VoiceError):
    """A dialect pack breaks a rule of voice_prompts/recordings/README.md, or is hostile."""

    code = "460.11"
