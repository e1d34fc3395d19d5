"""How a resident sees and hears is chosen in one touch, kept for the visit, gone with it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import views
from kiosk.comfort import GLYPHS_MM, RATES, VOLUMES_DB, Comfort, changed
from kiosk.places import Asking, AtHome
from kiosk.screens import Screen
from kiosk.visit import DEFAULT_LANGUAGE
from tests.unit.kiosk.parts import PHONE, Visitor, wordings
from voice_prompts.compose import pieces
from voice_prompts.wording import LANGUAGES


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def asked(language: str = DEFAULT_LANGUAGE) -> Visitor:
    """Somebody who is asked their name, and has told their ID number."""
    visitor = Visitor(language).do("service", "senior_allowance").fill()
    visitor.do("change", question="name")
    assert visitor.visit.place == Asking("name", is_change=True)
    return visitor


@pytest.mark.parametrize("language", LANGUAGES)
def test_comfort_covers_a_question_and_gives_it_back_with_all_answers(language: str) -> None:
    visitor = asked(language)
    before = visitor.visit

    visitor.do("comfort").do("comfort", "bigger").do("comfort", "hear").do("comfort", "slower")
    covered = visitor.visit.overlay
    visitor.do("comfort", "close")

    assert covered == "hearing"
    assert (visitor.visit.place, visitor.visit.draft) == (before.place, before.draft)
    assert (visitor.visit.overlay, visitor.visit.comfort) == ("", Comfort(text=2, rate=2))


def test_back_leads_from_hearing_to_seeing_and_from_there_to_the_question() -> None:
    visitor = asked().do("comfort", "hear")

    first = visitor.do("back").visit.overlay
    second = visitor.do("back").visit.overlay

    assert (first, second) == ("seeing", "")


def test_the_same_button_closes_what_it_opened() -> None:
    visitor = asked().do("comfort")

    assert visitor.visit.overlay == "seeing"
    assert visitor.do("comfort").visit.overlay == ""


def test_each_touch_shows_at_once_and_says_only_what_it_did() -> None:
    visitor = asked().do("comfort")

    screen = shown(visitor.do("comfort", "colours"))

    assert screen.comfort.theme == "dark"
    assert [utterance.template for utterance in screen.say] == ["换成黑底白字了。"]
    # Opened again, it says all of its buttons.
    assert len(shown(visitor.do("comfort").do("comfort")).say) == 1 + len(screen.tiles)


@pytest.mark.parametrize(
    ("value", "field", "count"),
    [
        ("bigger", "text", len(GLYPHS_MM)),
        ("louder", "volume", len(VOLUMES_DB)),
        ("faster", "rate", len(RATES)),
    ],
)
def test_steps_end_and_say_so(value: str, field: str, count: int) -> None:
    comfort = Comfort()
    for _ in range(count + 3):
        after = changed(comfort, value)
        assert after is not None
        comfort = after

    assert (getattr(comfort, field), comfort.told) == (count - 1, "most")


def test_unheard_button_changes_nothing() -> None:
    visitor = asked().do("comfort")
    before = visitor.visit

    assert visitor.do("comfort", "larger").visit == before
    assert changed(Comfort(), "") is None


def test_all_colours_come_round_and_reset_gives_back_what_was_there() -> None:
    visitor = asked().do("comfort")
    seen = [visitor.do("comfort", "colours").visit.comfort.theme for _ in range(3)]

    visitor.do("comfort", "low").do("comfort", "screen").do("comfort", "reset")

    assert seen == ["dark", "contrast", "light"]
    assert visitor.visit.comfort.is_usual


def test_comfort_outlives_home_and_language_but_not_the_silence() -> None:
    visitor = Visitor().do("comfort", "bigger").do("language", "en").do("open", "money")
    at_home = visitor.do("home").visit
    kept = at_home.comfort.text
    shown_s = shown(visitor).timeout_s

    visitor.do("timeout")

    assert (at_home.place, kept) == (AtHome(), 2)
    # A large home screen does not wait for the next one for ever.
    assert shown_s > 0
    assert (visitor.visit.comfort, visitor.visit.language) == (Comfort(), DEFAULT_LANGUAGE)


def test_home_in_large_letters_is_made_ready_for_the_next_one() -> None:
    visitor = Visitor().do("comfort", "bigger").do("comfort", "close")

    assert shown(visitor).timeout_s > 0
    visitor.do("timeout")
    assert visitor.visit.comfort == Comfort()


def test_comfort_ends_with_the_matter() -> None:
    visitor = Visitor().do("comfort", "screen").do("service", "suggestion").fill()
    visitor.hand_in().commit().do("continue").do("rate_skip")

    during = visitor.visit.comfort
    after = visitor.do("home").visit.comfort

    assert during.is_screen_off
    assert after == Comfort()


def test_silence_on_the_comfort_screen_asks_whether_somebody_is_there() -> None:
    visitor = asked().do("comfort").do("timeout")

    assert visitor.visit.overlay == "idle"
    assert visitor.do("timeout").visit.draft is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("overlay", ["see", "hear"])
def test_every_button_of_comfort_is_said_in_reading_order(language: str, overlay: str) -> None:
    screen = shown(asked(language).do("comfort", overlay))

    assert [u.highlight for u in screen.say if u.highlight] == [t.dom_id for t in screen.tiles]
    assert all(tile.icon for tile in screen.tiles)
    assert len(screen.tiles) <= 6
    for utterance in (*screen.say, *(u for row in screen.silence for u in row)):
        assert pieces(language, utterance.template, utterance.slots)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_touch_may_tell_has_words(language: str) -> None:
    visitor = asked(language).do("comfort")
    for value in (
        *("bigger", "bigger", "bigger", "smaller", "colours", "colours", "colours"),
        *("low", "low", "screen", "screen", "faster", "louder", "reset", "smaller", "smaller"),
    ):
        said = shown(visitor.do("comfort", value)).say
        assert len(said) == 1, value
        assert pieces(language, said[0].template, said[0].slots)


def test_typed_answer_is_not_told_to_the_comfort_screen() -> None:
    screen = shown(asked().do("comfort"))

    assert screen.entry is None
    assert PHONE not in str(screen)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("", "see", "hear", "close", "bigger", "smaller", "colours", "low", "screen"),
                *("faster", "slower", "louder", "softer", "reset", "nonsense", "老"),
            ]
        ),
        max_size=25,
    )
)
def test_no_sequence_of_touches_changes_the_form_or_leaves_the_scales(values: list[str]) -> None:
    visitor = asked()
    before = visitor.visit
    for value in values:
        visitor.do("comfort", value)

    after = visitor.visit
    assert (after.place, after.draft, after.language) == (
        before.place,
        before.draft,
        before.language,
    )
    assert 0 <= after.comfort.text < len(GLYPHS_MM)
    assert 0 <= after.comfort.rate < len(RATES)
    assert 0 <= after.comfort.volume < len(VOLUMES_DB)
    assert after.overlay in ("", "seeing", "hearing")
