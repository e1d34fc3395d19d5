"""A small rendered library and the shipped catalogue, made once for the whole package."""

import json
import math
import struct
from pathlib import Path

import pytest

from voice_prompts.prompts import Prompt
from voice_prompts.render import RenderReport, render
from voice_prompts.sound import wav_bytes

#: A little of everything: two sentences of one text, a fragment, English.
PROMPTS = (
    Prompt("zh-CN", "您好。", "home.title.1", "您好。请点图片。"),
    Prompt("zh-CN", "请点图片。", "home.title.2", "您好。请点图片。"),
    Prompt("zh-CN", "一千", "fragment"),
    Prompt("en", "Please touch a picture.", "home.hint"),
)


@pytest.fixture(scope="session")
def catalogue(root: Path) -> object:
    """The catalogue that we ship."""
    return json.loads((root / "server/catalogue/catalogue.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RenderReport]:
    """`PROMPTS` in a cache that tests may read but not change."""
    cache_dir = tmp_path_factory.mktemp("voice") / "cache"
    return cache_dir, render(PROMPTS, cache_dir, jobs=2)


def tone(duration_ms: int, level: float = 0.3) -> bytes:
    """A 440 Hz tone as samples; `level` 1.0 is full scale, and more is clipped."""
    count = 22_050 * duration_ms // 1000
    values = (math.sin(2 * math.pi * 440 * at / 22_050) * level * 32767 for at in range(count))
    return b"".join(struct.pack("<h", round(max(-32768, min(32767, value)))) for value in values)


def record(folder: Path, name: str, samples: bytes) -> Path:
    """Drop a recording into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(wav_bytes(samples))
    return path
