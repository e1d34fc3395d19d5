"""A dialect is switched to like a language; it speaks, and the screen keeps its words."""

from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from kiosk import dialects
from kiosk.comfort import Comfort
from kiosk.events import Touch
from kiosk.flows import begin, step
from kiosk.leaving import timeout
from kiosk.screens import Screen
from kiosk.speech import VOICE_PATH, InDialect
from kiosk.views import screen
from kiosk.visit import Visit
from kiosk.world import World
from tests.unit.kiosk.parts import wordings, world
from tests.unit.kiosk.stations import station
from tests.unit.voice_prompts.pack_builder import build_pack
from voice_prompts.clips import Clip
from voice_prompts.installed import Dialect
from voice_prompts.pack_install import install
from voice_prompts.prompts import core_prompts

TONGREN = Dialect("zh-x-tongren", "铜仁话", "zh-CN", has_own_name=True)
YI = Dialect("yi", "ꆈꌠꉙ", "zh-CN")


def here() -> World:
    return world(dialects=(TONGREN, YI))


def switched(visit: Visit, tag: str) -> Visit:
    return step(visit, Touch("language", tag), here())[0]


def test_dialects_stand_beside_the_languages_each_by_its_own_name() -> None:
    others = dialects.others(begin("a"), here(), wordings())

    assert others == (("en", "English"), ("zh-x-tongren", "铜仁话"), ("yi", "ꆈꌠꉙ"))


def test_dialect_keeps_the_words_and_changes_the_voice() -> None:
    visit = switched(begin("a"), "zh-x-tongren")

    assert (visit.language, visit.comfort.dialect) == ("zh-CN", "zh-x-tongren")
    assert [tag for tag, _ in dialects.others(visit, here(), wordings())] == ["zh-CN", "en", "yi"]


def test_every_way_between_languages_and_dialects_is_open() -> None:
    visit = begin("a")
    ways = []
    for tag in ("zh-x-tongren", "yi", "en", "zh-x-tongren", "zh-CN", "en", "zh-CN"):
        visit = switched(visit, tag)
        ways.append((visit.language, visit.comfort.dialect))

    assert ways == [
        ("zh-CN", "zh-x-tongren"),
        ("zh-CN", "yi"),
        ("en", ""),
        ("zh-CN", "zh-x-tongren"),
        ("zh-CN", ""),
        ("en", ""),
        ("zh-CN", ""),
    ]


def test_unknown_or_removed_dialect_changes_nothing() -> None:
    visit = begin("a")

    assert dialects.switched(visit, "zh-x-nowhere", here()) == visit
    assert dialects.switched(visit, "zh-x-tongren", world()) == visit


def test_dialect_goes_with_the_visit() -> None:
    visit = switched(begin("a"), "zh-x-tongren")

    fresh, _ = timeout(visit, Touch("timeout"), here())

    assert fresh.comfort == Comfort()
    assert fresh.id != visit.id


class Shelf:
    """A library with one clip in the dialect and two in Chinese."""

    _clips: ClassVar = {
        ("zh-x-tongren", "您好。"): "a",
        ("zh-CN", "您好。"): "b",
        ("zh-CN", "请点图片。"): "c",
        ("zh-x-tongren", "铜仁话"): "d",
        ("zh-CN", "铜仁话"): "e",
        ("en", "English"): "f",
    }

    def find(self, language: str, text: str, /) -> Clip | None:
        key = self._clips.get((language, text))
        return self.by_key(key) if key else None

    def by_key(self, key: str, /) -> Clip | None:
        return Clip(key, Path(key), "audio/ogg", 900, "recorded")


def test_dialect_speaks_what_it_has_and_the_language_the_rest() -> None:
    library = InDialect(Shelf(), "zh-x-tongren")

    found = [library.find("zh-CN", text) for text in ("您好。", "请点图片。", "没有的话")]

    assert [clip and clip.key for clip in found] == ["a", "c", None]


def test_without_a_dialect_the_language_speaks() -> None:
    found = InDialect(Shelf(), "").find("zh-CN", "您好。")

    assert found is not None
    assert found.key == "b"


def test_dialect_of_a_language_without_texts_is_not_offered() -> None:
    lonely = replace(TONGREN, based_on="fr")

    others = dialects.others(begin("a"), world(dialects=(lonely,)), wordings())

    assert others == (("en", "English"),)
    assert dialects.switched(begin("a"), lonely.tag, world(dialects=(lonely,))) == begin("a")


# --- choosing among more than two ---


def shown(visit: Visit) -> Screen:
    return screen(visit, here(), wordings())


def test_two_languages_are_switched_by_one_touch() -> None:
    assert screen(begin("a"), world(), wordings()).languages == (("en", "English"),)


def test_more_are_chosen_from_tiles_each_said_in_itself() -> None:
    assert shown(begin("a")).languages == (("", "English…"),)
    visit = switched(begin("a"), "")

    chooser = shown(visit)

    assert (chooser.kind, chooser.title) == ("languages", "您要说哪种话？")
    assert chooser.languages == ()
    assert [(tile.action, tile.value, tile.label) for tile in chooser.tiles] == [
        ("language", "en", "English"),
        ("language", "zh-x-tongren", "铜仁话"),
        ("language", "yi", "ꆈꌠꉙ"),
    ]
    library = InDialect(Shelf(), "", dialects.names_of(here(), wordings()))
    said = [library.find("zh-CN", one.template) for one in chooser.say]
    assert [clip.key for clip in said if clip] == ["f", "d"]
    assert [one.highlight for one in chooser.say][1:] == ["tile-1", "tile-2", "tile-3"]


def test_choice_leads_back_to_where_the_resident_was() -> None:
    asking = step(begin("a"), Touch("open", "papers"), here())[0]

    chosen = switched(switched(asking, ""), "zh-x-tongren")
    back = step(switched(asking, ""), Touch("back"), here())[0]

    assert (chosen.overlay, chosen.place, chosen.comfort.dialect) == (
        "",
        asking.place,
        "zh-x-tongren",
    )
    assert (back.overlay, back.place, back.comfort) == ("", asking.place, asking.comfort)


def test_silence_at_the_choice_asks_whether_anybody_is_there() -> None:
    visit = step(switched(begin("a"), ""), Touch("timeout"), here())[0]

    assert visit.overlay == "idle"


# --- a real kiosk ---


async def test_installed_pack_is_offered_at_once_and_speaks(tmp_path: Path) -> None:
    texts = {prompt.source: prompt.text for prompt in core_prompts("zh-CN")}
    source = build_pack(tmp_path / "tongren", texts)
    async with station(tmp_path / "kiosk") as kiosk:
        before, _, _ = await kiosk.stage.screen()
        done = install(source, tmp_path / "kiosk" / "voices", as_recorded=True)
        after, _, _ = await kiosk.stage.screen()
        await kiosk.touch("language", "")
        chooser, spoken, _ = await kiosk.stage.screen()
        await kiosk.touch("language", "zh-x-tongren")
        home, greeting, visit = await kiosk.stage.screen()

        assert before.languages == (("en", "English"),)
        assert after.languages == (("", "English…"),)
        assert [tile.label for tile in chooser.tiles] == ["English", "铜仁话"]
        own_name = Path(done.manifest.name_file).stem
        assert VOICE_PATH + own_name in [clip.url for clip in spoken.say]
        assert (home.kind, home.language, visit.comfort.dialect) == ("home", "zh-CN", TONGREN.tag)
        first = Path(done.manifest.clips["home.title.1"].file).stem
        assert greeting.say[0].url == VOICE_PATH + first
        clip = kiosk.parts.library.by_key(first)
        assert clip is not None
        assert clip.path.is_file()
