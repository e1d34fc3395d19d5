"""Questions that can be answered in several ways, side by side."""

from kiosk.screens import Screen, Tile
from tests.browser.sample_parts import pick, question

LINE = ("请写本人的名字。", "Enter the person's name.")


def entries(lang: str) -> dict[str, Screen]:
    people = tuple(
        Tile("answer", name, name, dom_id=f"suggested-{index}")
        for index, name in enumerate(("王秀兰", "李建国", "阿卜杜热合曼·买买提"), 1)
    )
    ranked = tuple(
        Tile("answer", f"v{index}", pick(lang, *label), icon, dom_id=f"tile-{index}")
        for index, (label, icon) in enumerate(
            (
                (("看病", "Health"), "hospital"),
                (("修路", "Roads"), "road"),
                (("吃水", "Water"), "water"),
                (("垃圾", "Waste"), "bin"),
            ),
            1,
        )
    )
    return {
        **_beyond_pads(lang, ranked),
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


def _beyond_pads(lang: str, ranked: tuple[Tile, ...]) -> dict[str, Screen]:
    plain: dict[str, object] = {"next_label": pick(lang, "看好了", "Go on")}
    when = ("几点方便给您打电话？", "At what time may we call you?")
    return {
        "time_hour": question(lang, "time", "几点", "Time", when),
        "time_minute": question(lang, "time", "几点", "Time", when, value="15:20"),
        "range_few": question(
            lang,
            "range",
            "走路多久",
            "How far",
            ("走到村口要几分钟？", "How many minutes to the village gate?"),
            least="0",
            most="10",
            step="1",
            value="4",
        ),
        "range_many": question(
            lang,
            "range",
            "雨量",
            "Rain",
            ("下了多少毫米的雨？", "How many millimetres of rain fell?"),
            least="0",
            most="50",
            step="0.5",
            value="12.5",
            error=pick(lang, "请点一个数。", "Please touch a number."),
        ),
        "rank": question(
            lang,
            "rank",
            "先办哪件",
            "What first",
            ("村里先办哪件事？", "What should the village do first?"),
            choices=ranked,
            value="v2 v1",
        ),
        "decimal": question(
            lang,
            "decimal",
            "几度",
            "Degrees",
            ("体温是多少度？", "What is the temperature?"),
            chars_max=15,
            value="-36.5",
            least="-50",
        ),
        "barcode": question(
            lang,
            "barcode",
            "机器上的码",
            "Code on the machine",
            ("请按机器上的码输。", "Type the code on the machine."),
            chars_max=50,
            value="6901234567892",
        ),
        "note": question(
            lang,
            "note",
            "请注意",
            "Please note",
            ("办这件事不收钱。", "This service costs nothing."),
            **plain,
        ),
        "read_only": question(
            lang,
            "amount",
            "每月补贴",
            "Monthly allowance",
            ("您每月的补贴是这么多。", "This is your monthly allowance."),
            shown=pick(lang, "120元", "120 yuan"),
            value="120",
            is_read_only=True,
            **plain,
        ),
    }
