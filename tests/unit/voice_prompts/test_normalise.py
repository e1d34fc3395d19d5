"""What espeak-ng would misread or drop becomes plain words; the rest is an error."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_prompts.errors import TextUnspeakable
from voice_prompts.normalise import normalise


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10个工作日内给您答复。", "十个工作日内给您答复。"),
        ("2个工作日，第2次，2级", "两个工作日，第二次，二级"),
        ("满60岁才要做", "满六十岁才要做"),
        ("亩数请填0.1到500。", "亩数请填零点一到五百。"),
        ("长期困难(低保)", "长期困难，低保"),
        ("一级、二级：都行……", "一级，二级，都行"),
        ("可以打12345。", "可以打幺二三四五。"),
        ("打110，付110元", "打幺幺零，付一百一十元"),
        ("共1,234.50元", "共一千二百三十四元五角"),
        ("¥50", "五十元"),
        ("2点，2点半，2点30分，12点", "两点，两点半，两点三十分，十二点"),
        ("2.5公斤，2点5公斤，第2页，2月2日", "二点五公斤，二点五公斤，第二页，二月二日"),
        ("2-3天，2至3天，第2到3天", "两到三天，两至三天，第二到三天"),
        ("8:30-11:30", "八点三十分到十一点三十分"),
        ("2400元/年，50元/人/月，是/否", "两千四百元每年，五十元每人每月，是或否"),
        ("2角5分钱，2批，2笔", "两角五分钱，两批，两笔"),
        ("50%", "百分之五十"),
        ("5~10天", "五到十天"),
        ("-5℃", "负五度"),
        ("2026-03-05", "二零二六年三月五日"),
        ("2026年3月5日", "二零二六年三月五日"),
        ("14:30", "十四点三十分"),
        ("13800138000", "幺三八，零零幺三，八零零零"),
        ("0571-87654321", "零五七幺，八七六五，四三二幺"),
        ("11010519491231002X", "幺幺零，幺零五，幺九四九，幺二三幺，零零二叉"),
        ("编号0012", "编号零零幺二"),
        ("①拍照", "一拍照"),
        ("扫QR码，下App", "扫二维码，下手机应用"),
        ("３亩", "三亩"),
        ("3/4", "四分之三"),
        ("2026-13-45", "二零二六，幺三四五"),
    ],
)
def test_chinese_text_becomes_hanzi(text: str, said: str) -> None:
    assert normalise("zh-CN", text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call 12345.", "Call one two three four five."),
        ("¥50, 20%", "50 yuan, 20 percent"),
        ("5–10 days", "5 to 10 days"),
        ("by 2026-03-05", "by fifth of March twenty twenty-six"),
        ("Scan the QR code & wait", "Scan the Q R code and wait"),
        ("It’s “yours”", 'It\'s "yours"'),
    ],
)
def test_english_text_becomes_plain_words(text: str, said: str) -> None:
    assert normalise("en", text) == said


@pytest.mark.parametrize(
    ("language", "text"), [("zh-CN", "请看WeChat"), ("zh-CN", "好☺"), ("en", "好")]
)
def test_unknown_words_are_an_error_ahead_of_time(language: str, text: str) -> None:
    with pytest.raises(TextUnspeakable):
        normalise(language, text)


def test_unknown_words_are_left_out_live() -> None:
    assert normalise("zh-CN", "请看☺ MiniProgram，好", is_strict=False) == "请看，好"


def test_letters_are_spelled_live() -> None:
    assert normalise("zh-CN", "A12", is_strict=False) == "诶十二"


def test_chinese_names_are_romanised_for_the_english_voice() -> None:
    assert normalise("en", "张小明 is here", is_strict=False) == "Zhang xiaoming is here"


@pytest.mark.parametrize("text", ["", "。。", "☺"])
def test_nothing_to_speak_is_an_error(text: str) -> None:
    with pytest.raises(TextUnspeakable):
        normalise("zh-CN", text, is_strict=False)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_whatever_people_write_the_engine_gets_known_characters_only(text: str) -> None:
    try:
        said = normalise("zh-CN", text, is_strict=False)
    except TextUnspeakable:
        return

    assert re.fullmatch(r"[一-鿿㐀-䶿，。？！；]+", said)


@settings(deadline=None)
@given(st.text(alphabet="0123456789.,-/:¥%元个年月日第好", max_size=30))
def test_no_figure_is_lost_or_left(text: str) -> None:
    has_figure = re.search(r"[0-9]", text)
    try:
        said = normalise("zh-CN", text, is_strict=False)
    except TextUnspeakable:
        assert not has_figure
        return

    assert not re.search(r"[0-9]", said)
    assert not has_figure or re.search("[零一二三四五六七八九十两幺]", said)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_english_speaks_known_characters_only(text: str) -> None:
    try:
        said = normalise("en", text, is_strict=False)
    except TextUnspeakable:
        return

    assert re.fullmatch(r"[A-Za-z0-9 .,!?;:'\"()-]+", said)
