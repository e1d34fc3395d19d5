"""Questions that can be answered in several ways, side by side."""

from kiosk.screens import Screen, Tile
from tests.browser.sample_parts import pick, question

LINE = ("请写本人的名字。", "Enter the person's name.")


def entries(lang: str) -> dict[str, Screen]:
    people = tuple(
        Tile("answer", name, name, dom_id=f"suggested-{index}")
        for index, name in enumerate(("王秀兰", "李建国", "阿卜杜热合曼·买买提"), 1)
    )
    return {
        "name_ways": question(
            lang, "name", "本人姓名", "Full name", LINE, chars_max=50, has_handwriting=True
        ),
        "name_suggested": question(
            lang,
            "name",
            "本人姓名",
            "Full name",
            LINE,
            chars_max=50,
            has_handwriting=True,
            suggestions=people,
        ),
        "amount": question(
            lang,
            "amount",
            "一个月收入",
            "Income in a month",
            ("全家一个月大概收入多少钱？", "About how much does the family earn in a month?"),
            chars_max=10,
            unit=pick(lang, "元", "yuan"),
            value="12345678.90",
            is_required=False,
            hint=pick(lang, "没有就跳过。", "If you have none, press skip."),
            skip_action="skip",
            skip_label=pick(lang, "跳过", "Skip"),
        ),
    }
