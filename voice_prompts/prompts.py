"""What has to be spoken: the interface's words, the catalogue's, and the fragments.

Pure, but for reading the package's own text files.
"""

from collections.abc import Iterator, Mapping

import msgspec

from voice_prompts.compose import fixed_parts, fragments
from voice_prompts.wording import LANGUAGES, Wording, slot_names

# Language maps under these names are read by people who work, or not at all.
_NEVER_SPOKEN = frozenset({"basis", "icon", "icons", "retention", "fee_basis"})


class Prompt(msgspec.Struct, frozen=True):
    """One clip that must exist."""

    #: "zh-CN" or "en".
    language: str
    #: Exactly the string of the clip.
    text: str
    #: Where it comes from: "home.title", "pension_auth.id_number.voice" or
    #: "fragment"; a part of a longer text ends in ".1", ".2", …
    source: str
    #: The whole text that this is a part of; "" = `text` is all there is.
    whole: str = ""


#: What a dialect must say at least before it is offered: arriving, the frame of every screen,
#: silence, reading back, the receipt. All else may be filled in by the machine's voice.
CORE_SECTIONS = frozenset({"home", "common", "silence", "check", "receipt"})


def prompt_key(prompt: Prompt) -> str:
    """Answer the name of a prompt in a pack's manifest: its source, and for a fragment its text.

    >>> prompt_key(Prompt("zh-CN", "三十四", "fragment"))
    'fragment.三十四'
    """
    return f"fragment.{prompt.text}" if prompt.source == "fragment" else prompt.source


def core_prompts(language: str) -> list[Prompt]:
    """Answer the prompts of `CORE_SECTIONS`, each text once.

    Raises:
        WordingMissing: No texts are written in this language.
    """
    wording = Wording.load(language)
    found = [
        prompt
        for key in sorted(wording.keys())
        if key.partition(".")[0] in CORE_SECTIONS
        for prompt in template_prompts(language, wording.voice(key), key)
    ]
    return list({prompt.text: prompt for prompt in found}.values())


def interface_prompts() -> list[Prompt]:
    """Answer the prompts of `texts/*.toml` and every number fragment, all languages.

    Raises:
        WordingBroken: A text file breaks its rules.
    """
    found: list[Prompt] = []
    for language in LANGUAGES:
        wording = Wording.load(language)
        for key in sorted(wording.keys()):
            found += template_prompts(language, wording.voice(key), key)
        found += [Prompt(language, text, "fragment") for text in fragments(language)]
    return found


def catalogue_prompts(catalogue: object) -> list[Prompt]:
    """Answer the prompts of a catalogue.

    Walks the decoded JSON and takes every map with the languages as its keys,
    whatever it is called, so that a new kind of text is never forgotten.

    Args:
        catalogue: Built-in dictionaries, lists and texts.

    Returns:
        Prompts in the catalogue's order; the same text may come more than once.
    """
    return [
        prompt
        for source, texts in _language_maps(catalogue, ())
        for language in LANGUAGES
        if isinstance(text := texts.get(language), str)
        for prompt in template_prompts(language, text, source)
    ]


def template_prompts(language: str, template: str, source: str) -> list[Prompt]:
    """Cut one template into its clips.

    >>> [prompt.source for prompt in template_prompts("en", "Done. Thank you.", "x.voice")]
    ['x.voice.1', 'x.voice.2']
    """
    clips = fixed_parts(language, template)
    if len(clips) == 1 and not slot_names(template):
        return [Prompt(language, clips[0], source)]
    whole = "" if slot_names(template) else template
    return [
        Prompt(language, clip, f"{source}.{number}", whole)
        for number, clip in enumerate(clips, start=1)
    ]


def _language_maps(
    node: object, path: tuple[str, ...]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    if isinstance(node, dict):
        if LANGUAGES[0] in node:
            yield ".".join(path), node
            return
        for name, value in node.items():
            if name not in _NEVER_SPOKEN:
                yield from _language_maps(value, (*path, *_step(name, value)))
    elif isinstance(node, list):
        for number, value in enumerate(node, start=1):
            yield from _language_maps(value, (*path, _name_of(value) or str(number)))


def _step(name: object, value: object) -> tuple[str, ...]:
    # The lists' names say nothing that their elements' own ids do not say:
    # pension_auth.id_number.voice, not services.pension_auth.questions.id_number.voice.
    is_listed = isinstance(value, list) and all(_name_of(item) for item in value)
    return () if is_listed and name in {"services", "questions"} else (str(name),)


def _name_of(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    name = value.get("id", value.get("name"))
    return name if isinstance(name, str) else ""
