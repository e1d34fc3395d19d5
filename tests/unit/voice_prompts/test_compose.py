"""Values become words by fixed rules, and only words that were rendered ahead."""

import datetime as dt
import re
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_prompts.compose import Piece, Spoken, fixed_parts, fragments, pieces, sentences
from voice_prompts.errors import SlotMissing, SlotValueWrong, WordingMissing
from voice_prompts.spoken import Kind
from voice_prompts.wording import LANGUAGES

GOLDEN_CHINESE: list[tuple[Kind, str, str]] = [
    ("money", "1234.50", "一千二百三十四元五角"),
    ("money", "0", "零元"),
    ("money", "2", "两元"),
    ("money", "12", "十二元"),
    ("money", "22", "二十二元"),
    ("money", "200", "两百元"),
    ("money", "2000.2", "两千元两角"),
    ("money", "0.05", "五分"),
    ("money", "0.52", "五角两分"),
    ("money", "1.05", "一元零五分"),
    ("money", "103.65", "一百零三元六角五分"),
    ("money", "-30", "负三十元"),
    ("money", "20000", "两万元"),
    ("money", "1000000", "一百万元"),
    ("number", "0", "零"),
    ("number", "2", "二"),
    ("number", "10", "十"),
    ("number", "20", "二十"),
    ("number", "115", "一百一十五"),
    ("number", "212", "两百一十二"),
    ("number", "1002", "一千零二"),
    ("number", "1010", "一千零一十"),
    ("number", "1200", "一千二百"),
    ("number", "2222", "两千二百二十二"),
    ("number", "12000", "一万两千"),
    ("number", "10015", "一万零一十五"),
    ("number", "100205", "十万零二百零五"),
    ("number", "220000", "二十二万"),
    ("number", "100010000", "一亿零一万"),
    ("number", "200000002", "两亿零二"),
    ("number", "0.5", "零点五"),
    ("number", "3.05", "三点零五"),
    ("number", "-2.5", "负二点五"),
    ("count", "1", "一"),
    ("count", "2", "两"),
    ("count", "12", "十二"),
    ("count", "22", "二十二"),
    ("count", "102", "一百零二"),
    ("count", "2.5", "二点五"),
    ("ordinal", "2", "第二"),
    ("ordinal", "20", "第二十"),
    ("ordinal", "21", "第二十一"),
    ("ordinal", "200", "第二百"),
    ("date", "2026-11-24", "二零二六年十一月二十四日"),
    ("date", "1948-02-01", "一九四八年二月一日"),
    ("date", "2026-11", "二零二六年十一月"),
    ("date", "1893-10-02", "一八九三年十月二日"),
    ("time", "14:30", "十四点三十分"),
    ("time", "02:05", "两点零五分"),
    ("time", "9:00", "九点"),
    ("time", "00:00", "零点"),
    ("digits", "0128", "零幺二八"),
    ("phone", "13800138000", "幺三八 零零幺三 八零零零"),
    ("phone", "0571-87654321", "零五七幺 八七六五 四三二幺"),
    ("phone", "12345", "幺二三四五"),
    ("id_number", "11010519491231002x", "幺幺零 幺零五 幺九四九 幺二三幺 零零二叉"),
    ("case_no", "202611240012", "二零二六 幺幺二四 零零幺二"),
    ("case_no", "2026 1124 0012", "二零二六 幺幺二四 零零幺二"),
    ("bank_tail", "7702", "七七零二"),
]
GOLDEN_ENGLISH: list[tuple[Kind, str, str]] = [
    ("money", "1234.50", "one thousand two hundred and thirty-four yuan and fifty fen"),
    ("money", "0", "zero yuan"),
    ("money", "0.05", "five fen"),
    ("number", "2000001", "two million and one"),
    ("number", "-3.05", "minus three point zero five"),
    ("number", "110", "one hundred and ten"),
    ("ordinal", "22", "twenty-second"),
    ("ordinal", "30", "thirtieth"),
    ("ordinal", "112", "number one hundred and twelve"),
    ("date", "2026-11-24", "twenty-fourth of November twenty twenty-six"),
    ("date", "2005-03-09", "ninth of March two thousand and five"),
    ("date", "1906-12-31", "thirty-first of December nineteen oh six"),
    ("date", "1900-01", "January nineteen hundred"),
    ("time", "14:30", "two thirty p.m."),
    ("time", "09:05", "nine oh five a.m."),
    ("time", "12:00", "noon"),
    ("time", "00:30", "twelve thirty a.m."),
    ("phone", "13800138000", "one three eight | zero zero one three | eight zero zero zero"),
    ("case_no", "202611240012", "two zero two six | one one two four | zero zero one two"),
]


def chinese(kind: Kind, value: str) -> str:
    """All that is said of a value, a space for each rest."""
    return "".join(
        piece.text or " " for piece in pieces("zh-CN", "{x}", {"x": Spoken(kind, value)})
    )


@pytest.mark.parametrize(("kind", "value", "said"), GOLDEN_CHINESE)
def test_chinese_value_is_said(kind: Kind, value: str, said: str) -> None:
    assert chinese(kind, value) == said


@pytest.mark.parametrize(("kind", "value", "said"), GOLDEN_ENGLISH)
def test_english_value_is_said(kind: Kind, value: str, said: str) -> None:
    row = pieces("en", "{x}", {"x": Spoken(kind, value)})

    assert " ".join(piece.text or "|" for piece in row) == said


AMOUNTS = st.decimals(0, Decimal("999999999999.99"), places=2).map(lambda amount: f"{amount:f}")
VALUES = st.one_of(
    st.tuples(st.just("money"), AMOUNTS),
    st.tuples(st.just("number"), AMOUNTS),
    st.tuples(st.just("count"), st.integers(-9999, 10**12 - 1).map(str)),
    st.tuples(st.just("ordinal"), st.integers(0, 10**12 - 1).map(str)),
    st.tuples(st.just("date"), st.dates(dt.date(1000, 1, 1)).map(dt.date.isoformat)),
    st.tuples(st.just("time"), st.times().map(lambda time: f"{time:%H:%M}")),
    st.tuples(st.just("digits"), st.from_regex(r"[0-9]{1,20}", fullmatch=True)),
    st.tuples(st.just("phone"), st.from_regex(r"0[0-9]{2,3}-?[0-9]{7,8}", fullmatch=True)),
    st.tuples(st.just("id_number"), st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True)),
    st.tuples(st.just("case_no"), st.from_regex(r"[0-9]{12}", fullmatch=True)),
    st.tuples(st.just("bank_tail"), st.from_regex(r"[0-9]{4}", fullmatch=True)),
)


@settings(deadline=None)
@given(st.sampled_from(LANGUAGES), VALUES)
def test_every_value_is_made_of_fragments_only(language: str, value: tuple[Kind, str]) -> None:
    row = pieces(language, "{x}", {"x": Spoken(*value)})

    said = {piece.text for piece in row if piece.text}
    assert said
    assert said <= set(fragments(language))
    assert not any(piece.is_live for piece in row)


@settings(deadline=None)
@given(st.integers(0, 10**12 - 1))
def test_chinese_number_can_be_read_back(number: int) -> None:
    assert read_back(chinese("number", str(number))) == number


@settings(deadline=None)
@given(st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_digit_strings_keep_every_digit(digits: str) -> None:
    said = chinese("digits", digits).replace(" ", "")

    assert said.translate(str.maketrans("零幺二三四五六七八九", "0123456789")) == digits


@settings(deadline=None)
@given(VALUES, VALUES)
def test_rests_stand_between_sounds_only(one: tuple[Kind, str], two: tuple[Kind, str]) -> None:
    slots = {"a": Spoken(*one), "b": Spoken(*two)}

    row = pieces("zh-CN", "。{a}，{b}：共{a}个。\n{b}。", slots)

    is_rest = [not piece.text for piece in row]
    assert not is_rest[0]
    assert not is_rest[-1]
    assert (True, True) not in set(pairwise(is_rest))
    assert all((piece.pause_ms > 0) == (not piece.text) for piece in row)


def read_back(said: str) -> int:
    """Read a Chinese whole number, as a second opinion."""
    total = section = digit = 0
    for sign in said:
        if sign in "零一二三四五六七八九两":
            digit = 2 if sign == "两" else "零一二三四五六七八九".index(sign)
        elif sign in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = 0
        else:
            total += (section + digit) * {"万": 10**4, "亿": 10**8}[sign]
            section = digit = 0
    return total + section + digit


def test_sentence_without_slots_is_one_clip() -> None:
    assert pieces("zh-CN", "您好。请点图片。", {}) == (
        Piece("您好。"),
        Piece("", pause_ms=350),
        Piece("请点图片。"),
    )


def test_sentence_is_cut_around_its_slots() -> None:
    slots = {"name": Spoken("text", "王小明"), "size": Spoken("count", "2")}

    row = pieces("zh-CN", "${name}家${size}口人申请救助，对吗？", slots)

    assert [piece for piece in row if piece.text] == [
        Piece("王小明", is_live=True),
        Piece("家"),
        Piece("两"),
        Piece("口人申请救助，对吗？"),
    ]


def test_fixed_parts_are_the_clips_that_playing_asks_for() -> None:
    template = "您的评价记下了。不满意的，{days}个工作日内回您的话。"

    row = pieces("zh-CN", template, {"days": Spoken("count", "2")})

    played = [piece.text for piece in row if piece.text and piece.text != "两"]
    assert tuple(played) == fixed_parts("zh-CN", template)


def test_punctuation_beside_a_slot_is_a_rest_and_not_a_clip() -> None:
    row = pieces("zh-CN", "{a}，{b}。", {"a": Spoken("digits", "1"), "b": Spoken("digits", "2")})

    assert row == (Piece("幺"), Piece("", pause_ms=150), Piece("二"))


def test_free_text_is_live_sentence_by_sentence() -> None:
    row = pieces("zh-CN", "原因：{reason}", {"reason": Spoken("text", "照片不清楚。请重拍。")})

    assert [piece for piece in row if piece.text] == [
        Piece("原因："),
        Piece("照片不清楚。", is_live=True),
        Piece("请重拍。", is_live=True),
    ]


def test_missing_slot_is_named() -> None:
    with pytest.raises(SlotMissing, match="due_date"):
        pieces("zh-CN", "最晚 {due_date} 答复。", {})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", "abc"),
        ("money", "1.234"),
        ("money", ""),
        ("date", "2026-02-30"),
        ("date", "24.11.2026"),
        ("time", "25:00"),
        ("id_number", "123"),
        ("case_no", "12345678901"),
        ("number", "1" * 13),
        ("digits", "１２"),
    ],
)
def test_wrong_value_is_refused_without_repeating_it(kind: Kind, value: str) -> None:
    with pytest.raises(SlotValueWrong) as caught:
        pieces("zh-CN", "{x}", {"x": Spoken(kind, value)})

    assert kind in str(caught.value)
    assert not value or value not in str(caught.value)


def test_unknown_language_is_refused() -> None:
    with pytest.raises(WordingMissing, match="fr"):
        pieces("fr", "Bonjour.", {})


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("已经收好了。请拿好小票。", ("已经收好了。", "请拿好小票。")),
        ("您好！要办什么？", ("您好！", "要办什么？")),
        ("先点年；再点月", ("先点年；", "再点月")),
        ("零点五就填0.5。", ("零点五就填0.5。",)),
        ("他说“好。”走了", ("他说“好。”", "走了")),
        ("受理号 {case_no}。对吗？", ("受理号 {case_no}。", "对吗？")),
        ("Received. Take your slip.", ("Received.", "Take your slip.")),
        ("Is 0.5 right? Yes; it is", ("Is 0.5 right?", "Yes;", "it is")),
        ("一\n二", ("一", "二")),
        ("  ", ()),
    ],
)
def test_text_is_cut_at_sentence_ends(text: str, cut: tuple[str, ...]) -> None:
    assert sentences("zh-CN", text) == cut


@settings(deadline=None)
@given(st.text(alphabet="好 a1.。！？；;!?”\n{x}", max_size=60))
def test_cutting_loses_nothing_but_white_space(text: str) -> None:
    together = "".join(sentences("zh-CN", text))

    assert re.sub(r"\s", "", together) == re.sub(r"\s", "", text)


@settings(deadline=None)
@given(st.text(alphabet="好 a1.。！？；;!?”\n", max_size=60))
def test_cutting_again_changes_nothing(text: str) -> None:
    cut = sentences("zh-CN", text)

    assert tuple(part for sentence in cut for part in sentences("zh-CN", sentence)) == cut
