"""Which voice speaks a language, and what exactly it is given to speak."""

from voice_prompts.driver import Voice
from voice_prompts.errors import WordingMissing
from voice_prompts.limits import CHINESE_RATE_WPM, ENGLISH_RATE_WPM, PITCH, VOLUME_PERCENT
from voice_prompts.normalise import normalise
from voice_prompts.pronounce import pinyin

# By exact name: Debian's "cmn" spells pinyin as English, and it is listed first.
VOICES: dict[str, Voice] = {
    "zh-CN": Voice("cmn-latn-pinyin", CHINESE_RATE_WPM, PITCH, VOLUME_PERCENT),
    "en": Voice("en-us", ENGLISH_RATE_WPM, PITCH, VOLUME_PERCENT),
}


def voice_of(language: str) -> Voice:
    """Answer the language's voice.

    Raises:
        WordingMissing: No voice speaks this language.
    """
    if language not in VOICES:
        raise WordingMissing(f"no voice for the language {language!r}; have {tuple(VOICES)}")
    return VOICES[language]


def utterance(language: str, text: str, *, is_free: bool = False) -> str:
    """Answer the string that goes to the engine: pinyin, or plain English words.

    Args:
        language: "zh-CN" or "en".
        text: One sentence or fragment, without slots.
        is_free: Typed by someone: what cannot be spoken is left out.

    Raises:
        TextUnspeakable: No rule knows how to say some of it, or nothing is left.
    """
    words = normalise(language, text, is_strict=not is_free)
    return pinyin(words, is_free=is_free) if language == "zh-CN" else words
