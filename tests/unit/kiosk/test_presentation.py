"""The drawn page: real millimetres, the resident's language, and nothing that could break it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.playlist import Clip, Playlist
from kiosk.screens import Entry, Row, Screen, StatusLine, Tile
from kiosk.web import presentation
from kiosk.web.presentation import ScreenProfile, Tokens, profile_css, render
from tests.browser.samples import LANGUAGES, screens
from voice_prompts.wording import Wording

LANDSCAPE = ScreenProfile(1024, 600, 10.1)
PORTRAIT = ScreenProfile(800, 1280, 10.1)
LARGE = ScreenProfile(1920, 1080, 21.5)
TOKENS = Tokens("v", 7)
TEMPLATES = Path(presentation.__file__).parent / "templates"


def _drawn(screen: Screen, playlist: Playlist | None = None) -> str:
    return render(screen, playlist or Playlist(), LANDSCAPE, TOKENS)


@pytest.mark.parametrize(("profile", "px"), [(LANDSCAPE, 4.626), (PORTRAIT, 5.884), (LARGE, 4.034)])
def test_millimetre_of_the_display(profile: ScreenProfile, px: float) -> None:
    assert profile.px_per_mm == pytest.approx(px, abs=0.002)


def test_layout_keeps_the_millimetre_on_small_displays_and_grows_on_large_ones() -> None:
    assert LANDSCAPE.unit_px == pytest.approx(LANDSCAPE.px_per_mm, rel=0.02)
    assert PORTRAIT.unit_px == pytest.approx(PORTRAIT.px_per_mm, rel=0.02)
    assert LARGE.unit_px / LARGE.px_per_mm == pytest.approx(1.6)


def test_seven_inches_show_the_whole_layout_smaller_rather_than_cut() -> None:
    seven = ScreenProfile(1024, 600, 7.0)

    # Keys are 12.4 mm there instead of 18: still one finger each.
    assert 18 * seven.unit_px / seven.px_per_mm == pytest.approx(12.4, abs=0.1)


@given(st.integers(480, 4000), st.integers(480, 4000), st.floats(6, 40))
def test_targets_are_never_smaller_than_promised(width: int, height: int, diagonal: float) -> None:
    profile = ScreenProfile(width, height, diagonal)

    long_mm = max(width, height) / profile.px_per_mm
    short_mm = min(width, height) / profile.px_per_mm
    if long_mm >= 222 and short_mm >= 130:
        assert profile.px_per_mm <= profile.unit_px
    assert profile.px_per_mm * 0.66 <= profile.unit_px + 1e-9
    assert profile.unit_px <= profile.px_per_mm * 1.6 + 1e-9


def test_profile_css_gives_the_page_its_millimetre() -> None:
    assert profile_css(LANDSCAPE) == ":root{--mm:4.626px}\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_screen_is_drawn_within_the_content_policy(language: str) -> None:
    inline = re.compile(r"<style|style=|<script(?! type=\"module\" src=)|\son[a-z]+=|javascript:")

    found = {
        name: inline.findall(_drawn(screen))
        for name, screen in screens(language).items()
        if inline.search(_drawn(screen))
    }

    assert found == {}


def test_texts_from_outside_cannot_become_markup() -> None:
    evil = '"><script>alert(1)</script>'
    screen = Screen(
        kind="check",
        language="zh-CN",
        title=evil,
        lines=(evil,),
        rows=(Row(evil, evil, evil, evil),),
        status=StatusLine(text=evil),
        tiles=(Tile(evil, evil, evil, evil),),
        error=evil,
        service_name=evil,
        next_action=evil,
        next_label=evil,
    )

    page = _drawn(screen, Playlist(say=(Clip(evil, 0, evil),)))

    assert "<script>" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_typed_answer_cannot_become_markup() -> None:
    evil = "'><img src=x onerror=alert(1)>"
    entry = Entry(kind="text_note", question="q", value=evil)

    page = _drawn(Screen(kind="question", language="zh-CN", title="t", entry=entry))

    assert "<img src=x" not in page


def test_page_carries_visit_revision_and_playlist() -> None:
    playlist = Playlist(say=(Clip("/voice/a", 350, "title"),))

    page = _drawn(screens("zh-CN")["home"], playlist)

    assert 'data-visit="v" data-rev="7"' in page
    assert (
        "{&#34;url&#34;:&#34;/voice/a&#34;,&#34;pause_ms&#34;:350,&#34;highlight&#34;:&#34;title&#34;}"
        in page
    )


def test_question_is_headed_by_the_sentence_that_is_said() -> None:
    page = _drawn(screens("zh-CN")["phone"])

    assert re.search(r"<h1[^>]*>请输能打通的电话，没有就按跳过。</h1>", page)
    assert "<title>联系电话</title>" in page


def test_keyboard_is_in_abc_order_where_ten_keys_find_no_room() -> None:
    name = screens("zh-CN")["name"]

    wide = re.findall(r'data-key="([a-z])"', render(name, Playlist(), LANDSCAPE, TOKENS))
    upright = re.findall(r'data-key="([a-z])"', render(name, Playlist(), PORTRAIT, TOKENS))

    assert "".join(wide) == "qwertyuiopasdfghjklzxcvbnm"
    assert "".join(upright) == "abcdefghijklmnopqrstuvwxyz"


def test_unknown_picture_is_a_sheet_of_paper_and_never_nothing() -> None:
    def tile(icon: str) -> str:
        tiles = (Tile("service", "s", "l", icon),)
        return _drawn(Screen(kind="category", language="en", title="t", tiles=tiles))

    assert tile("no_such_icon") == tile("paper")
    assert tile("paper") != tile("cow")


def test_promise_of_days_is_told_apart_from_the_papers_to_bring() -> None:
    page = _drawn(screens("zh-CN")["materials"])

    assert re.findall(r'<(p|li) class="(promise|tile)" id="(line-\d)"', page) == [
        ("p", "promise", "line-4"),
        ("li", "tile", "line-0"),
        ("li", "tile", "line-1"),
        ("li", "tile", "line-2"),
        ("li", "tile", "line-3"),
    ]


def test_home_has_my_matters_and_the_way_out_in_its_foot() -> None:
    page = _drawn(screens("zh-CN")["home"])
    foot = page[page.index("<footer>") :]

    assert re.findall(r'data-action="(\w+)"', foot) == ["matters", "open"]
    assert page[: page.index("<footer>")].count('class="tile "') == 6


def test_every_word_that_a_template_asks_for_exists_in_every_language() -> None:
    asked: set[str] = set()
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text("utf-8")
        asked.update(re.findall(r"\bw\(\s*[\"']([a-z_.]+)[\"']", text))
        for group in re.findall(r"words\(([^)]*)\)", text):
            asked.update(re.findall(r"[\"']([a-z_.]+)[\"']", group))

    missing = {language: sorted(asked - Wording.load(language).keys()) for language in LANGUAGES}

    assert missing == {language: [] for language in LANGUAGES}
    assert len(asked) > 40


@given(st.text(max_size=60))
def test_longer_texts_never_get_larger_letters(text: str) -> None:
    order = ["", "long", "longer"]

    sizes = [order.index(presentation.size(text[:n], 8, 14)) for n in range(len(text) + 1)]

    assert sizes == sorted(sizes)
