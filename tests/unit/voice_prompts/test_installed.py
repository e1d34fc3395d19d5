"""An installed dialect speaks where it has words; the machine speaks where it has none."""

from pathlib import Path

import pytest

from tests.unit.voice_prompts.pack_builder import TAG, build_pack
from voice_prompts.installed import Dialect
from voice_prompts.library import Library
from voice_prompts.pack_install import install
from voice_prompts.pack_shelf import remove
from voice_prompts.packs import text_hash
from voice_prompts.prompts import core_prompts
from voice_prompts.render import RenderReport

Rendered = tuple[Path, RenderReport]


@pytest.fixture(scope="module")
def core_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that says all of the core."""
    texts = {prompt.source: prompt.text for prompt in core_prompts("zh-CN")}
    assert len(texts) > 40
    return build_pack(tmp_path_factory.mktemp("pack") / "in", texts)


def test_dialect_speaks_its_words_and_no_others(rendered: Rendered, tmp_path: Path) -> None:
    install(build_pack(tmp_path / "in", {"home.title.1": "您好。"}), tmp_path / "packs")
    library = Library(rendered[0], None, tmp_path / "packs")

    spoken = library.find(TAG, " 您好。")

    assert spoken is not None
    assert (spoken.source, spoken.media_type) == ("recorded", "audio/ogg")
    assert library.by_key(spoken.key) == spoken
    assert library.find(TAG, "请点图片。") is None
    assert library.find("zh-CN", "您好。") != spoken


def test_dialect_says_its_own_name(rendered: Rendered, tmp_path: Path) -> None:
    install(build_pack(tmp_path / "in", {"home.title.1": "您好。"}), tmp_path / "packs")

    assert Library(rendered[0], None, tmp_path / "packs").find(TAG, "铜仁话") is not None


def test_changed_words_are_not_spoken_by_an_old_recording(
    rendered: Rendered, tmp_path: Path
) -> None:
    install(build_pack(tmp_path / "in", {"home.title.1": "你好哇。"}), tmp_path / "packs")

    assert Library(rendered[0], None, tmp_path / "packs").find(TAG, "您好。") is None


def test_human_voice_of_a_written_language_goes_before_the_machines(
    rendered: Rendered, tmp_path: Path
) -> None:
    source = build_pack(tmp_path / "in", {"home.title.1": "您好。"}, language="zh-CN")
    install(source, tmp_path / "packs")
    library = Library(rendered[0], None, tmp_path / "packs")

    human, machine = library.find("zh-CN", "您好。"), library.find("zh-CN", "请点图片。")

    assert human is not None
    assert human.source == "recorded"
    assert machine is not None
    assert machine.source == "rendered"
    assert library.dialects() == ()


def test_dialect_is_offered_once_it_says_the_core_and_gone_when_removed(
    rendered: Rendered, core_pack: Path, tmp_path: Path
) -> None:
    packs = tmp_path / "packs"
    library = Library(rendered[0], None, packs)
    nothing = library.dialects()
    install(build_pack(tmp_path / "in", {"home.title.1": "您好。"}), packs)
    too_little = library.dialects()

    install(core_pack, packs, as_recorded=True)
    offered = library.dialects()
    remove(TAG, packs)

    assert (nothing, too_little, library.dialects()) == ((), (), ())
    assert offered == (Dialect(TAG, "铜仁话", "zh-CN", has_own_name=True),)
    assert library.find(TAG, "您好。") is None


def test_core_with_one_changed_word_is_not_offered(
    rendered: Rendered, core_pack: Path, tmp_path: Path
) -> None:
    content = (core_pack / "pack.json").read_text("utf-8")
    changed = content.replace(text_hash("返回"), text_hash("回去"))
    assert changed != content
    other = tmp_path / "in"
    other.mkdir()
    for path in core_pack.glob("*.wav"):
        (other / path.name).hardlink_to(path)
    (other / "pack.json").write_text(changed, "utf-8")

    install(other, tmp_path / "packs", as_recorded=True)

    assert Library(rendered[0], None, tmp_path / "packs").dialects() == ()
