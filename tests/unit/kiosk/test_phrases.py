"""Catalogue texts with what is known, and days as people read them."""

import datetime as dt

import pytest

from kiosk.paging import row_pages, tile_page, tile_pages
from kiosk.phrases import day, day_of, filled, words
from tests.unit.kiosk.parts import catalogue, wordings
from voice_prompts.wording import LANGUAGES

ZH = "已经收好。受理号 {case_no}。3个工作日内给您答复，最晚 {due_date}。有事打 {hotline}。"
EN = "Received. We answer within 3 working days, by {due_date} at the latest. Call {hotline}."


def test_known_values_are_filled_in() -> None:
    assert filled(ZH, {"case_no": "1", "due_date": "周五", "hotline": "12345"}) == (
        "已经收好。受理号 1。3个工作日内给您答复，最晚 周五。有事打 12345。"
    )


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (ZH, "已经收好。受理号 1。3个工作日内给您答复。有事打 12345。"),
        (EN, "Received. We answer within 3 working days. Call 12345."),
    ],
)
def test_clause_whose_value_is_not_known_is_left_out(template: str, text: str) -> None:
    assert filled(template, {"case_no": "1", "hotline": "12345"}) == text


def test_value_that_looks_like_a_placeholder_stays_a_value() -> None:
    assert filled("原因：{reason}。", {"reason": r"\1 {hotline}"}) == r"原因：\1 {hotline}。"


def test_answers_placeholders_are_left_to_the_form() -> None:
    assert filled("给 ${name} 办。", {}) == "给 ${name} 办。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_notice_ends_in_rags_when_nothing_is_known(language: str) -> None:
    for service in catalogue().services:
        for notice in (*(n.text for n in service.notices.values()), service.receipt.text):
            text = filled(
                words(notice, language),
                dict.fromkeys(("as_of", "case_status_line", "missing_items"), "x"),
            )

            assert text
            assert "{" not in text
            assert not text.startswith((".", "。", ",", "，"))
            assert "。。" not in text


def test_day_is_written_in_its_language() -> None:
    assert day("2026-11-04", wordings()["zh-CN"]) == "2026年11月4日"
    assert day(dt.date(2026, 11, 4), wordings()["en"]) == "4 November 2026"
    assert day("", wordings()["en"]) == ""


def test_day_is_the_villages_day() -> None:
    late_evening_utc = 1_795_564_800_000 - 1  # 2026-11-24 23:59:59.999 UTC + 1 ms = the 25th

    assert day_of(late_evening_utc, 480) == dt.date(2026, 11, 25)
    assert day_of(late_evening_utc, 0) == dt.date(2026, 11, 24)


@pytest.mark.parametrize("count", range(40))
def test_pages_show_every_tile_once(count: int) -> None:
    items = list(range(count))

    pages = [list(tile_page(items, page)) for page in range(1, tile_pages(count) + 1)]

    assert [item for page in pages for item in page] == items
    # All but the last leave a place for the “more” tile.
    assert all(len(page) <= 5 for page in pages[:-1])
    assert len(pages[-1]) <= 6


def test_empty_list_has_one_page() -> None:
    assert (tile_pages(0), row_pages(0)) == (1, 1)
