"""A dialect pack as a speaker of Tongren might hand it in; the speaker does not exist."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from tests.unit.voice_prompts.conftest import record, tone
from voice_prompts.packs import MANIFEST, Manifest, Recorded, manifest_bytes, text_hash
from voice_prompts.prompts import Prompt

TAG = "zh-x-tongren"
HEAD = Manifest(
    language=TAG,
    name="铜仁话",
    author="杨正英",
    consent="2026-11-20 签字，存石桥村便民服务点",
    licence="CC-BY-4.0",
    recorded_on=dt.date(2026, 11, 20),
    name_file="own-name.wav",
)
#: A service of two sentences, the core's beginning, a number.
PROMPTS = {
    "core": [
        Prompt("zh-CN", "您好。", "home.title.1", "您好。请点图片。"),
        Prompt("zh-CN", "请点图片。", "home.title.2", "您好。请点图片。"),
    ],
    "numbers": [Prompt("zh-CN", "三十四", "fragment")],
    "pension_auth": [Prompt("zh-CN", "您今年多大？", "pension_auth.age.voice")],
    "newborn": [
        Prompt("zh-CN", "宝宝哪天出生？", "newborn.birth.voice"),
        Prompt("zh-CN", "宝宝叫什么？", "newborn.name.voice"),
    ],
}
SERVICES = ("pension_auth", "newborn")


def voice(duration_ms: int = 1200, level: float = 0.3) -> bytes:
    """Something that can be heard, as long as a short sentence."""
    return tone(duration_ms, level)


def build_pack(
    folder: Path,
    texts: Mapping[str, str],
    samples: Mapping[str, bytes] | None = None,
    **head: str,
) -> Path:
    """Write a pack: key → words that were read; `samples` by key where they matter."""
    made = voice()
    clips = {}
    for number, (key, text) in enumerate(texts.items()):
        name = f"{number:03d}.wav"
        record(folder, name, (samples or {}).get(key, made))
        clips[key] = Recorded(name, text_hash(text))
    record(folder, "own-name.wav", made)
    manifest = replace(HEAD, clips=clips, **head)
    (folder / MANIFEST).write_bytes(manifest_bytes(manifest))
    return folder
