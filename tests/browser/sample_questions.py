"""Questions of every type, as the visit gives them."""

from kiosk.screens import Screen, Tile
from tests.browser.sample_parts import pick, question, tiles


def questions(lang: str) -> dict[str, Screen]:
    choices = {
        2: (("要", "Yes", "check"), ("不要", "No", "cross")),
        3: (
            ("就在村里", "In the village", "house"),
            ("县里镇上", "In town", "town"),
            ("外地", "Away", "train"),
        ),
        5: (
            ("重病", "Serious illness", "hospital"),
            ("意外伤", "Accident", "bandage"),
            ("火灾水灾", "Fire or flood", "fire"),
            ("家人去世", "Death in the family", "candle"),
            ("遇到急事(临时救助)", "Emergency (temporary relief)", "alarm"),
        ),
        7: (
            ("路灯路面", "Roads and lights", "road"),
            ("吃水用水", "Water", "water"),
            ("垃圾污水", "Waste", "bin"),
            ("邻里纠纷", "Neighbour disputes", "mouth"),
            ("政策不清楚", "Unclear rules", "book"),
            ("办事人员", "Officials", "person"),
            ("别的", "Other", "more"),
        ),
    }
    plain: dict[str, object] = {"next_action": "", "next_label": ""}
    many = tuple(
        Tile(t.action, t.value, t.label, t.icon, "", index in (0, 2), t.dom_id)
        for index, t in enumerate(tiles(lang, "answer", *choices[7]))
    )
    selected = tiles(lang, "answer", *choices[3])
    three = (
        Tile("answer", "v1", selected[0].label, "house", is_selected=True, dom_id="tile-1"),
        *selected[1:],
    )
    return {
        "id_number": question(
            lang,
            "id_number",
            "身份证号",
            "ID number",
            (
                "请按身份证上的号码输。",
                "Type the number on the ID card.",
            ),
            chars_max=18,
            groups=(6, 8, 4),
            value="5301211946112400",
        ),
        "id_number_wrong": question(
            lang,
            "id_number",
            "身份证号",
            "ID number",
            (
                "请按身份证上的号码输。",
                "Type the number on the ID card.",
            ),
            chars_max=18,
            groups=(6, 8, 4),
            value="530121194611240017",
            error=pick(
                lang,
                "有一个数字不对。请照着身份证，一段一段看。要不要找人帮忙？点右上角。",
                "One digit is wrong. Compare with the card, part by part. Get help top right?",
            ),
        ),
        "phone": question(
            lang,
            "phone",
            "联系电话",
            "Phone number",
            ("请输能打通的电话，没有就按跳过。", "Enter a phone we can reach, or press skip."),
            chars_max=13,
            groups=(3, 4, 4),
            value="13800",
        ),
        "bank_card": question(
            lang,
            "bank_card",
            "银行卡号",
            "Bank card number",
            ("请照着银行卡按号码。", "Copy the number of the bank card."),
            chars_max=19,
            groups=(4, 4, 4, 4, 3),
            value="622202001234567",
        ),
        "case_no": question(
            lang,
            "case_no",
            "受理号",
            "Case number",
            ("把小票上的码对准扫，或者输号。", "Scan the code of the slip, or type the number."),
            chars_max=12,
            groups=(4, 4, 4),
            value="00420001",
        ),
        "digits4": question(
            lang,
            "digits4",
            "电话后四位",
            "Last 4 digits of the phone",
            ("请输您留的电话的后四位。", "Enter the last four digits of the phone you left."),
            chars_max=4,
            groups=(4,),
            value="12",
        ),
        "integer": question(
            lang,
            "integer",
            "一起生活几口人",
            "People in the household",
            ("一起吃住的有几口人？", "How many people live and eat together?"),
            chars_max=4,
            value="4",
        ),
        "date": question(
            lang,
            "date",
            "娃娃的出生日期",
            "Baby's date of birth",
            ("娃娃哪天生的？按公历填。", "On which day was the baby born? Western calendar."),
        ),
        "date_day": question(
            lang,
            "date",
            "娃娃的出生日期",
            "Baby's date of birth",
            ("娃娃哪天生的？按公历填。", "On which day was the baby born? Western calendar."),
            value="2026-10-31",
            error=pick(
                lang, "这个日子不对，请再选一次。", "This day is not right. Please choose again."
            ),
        ),
        "choice_2": question(
            lang,
            "yes_no",
            "爸妈都同意吗",
            "Do both parents agree",
            ("爸爸妈妈都同意落这个户吗？", "Do both parents agree to register here?"),
            tiles=tiles(lang, "answer", *choices[2]),
            **plain,
        ),
        "choice_3": question(
            lang,
            "choice",
            "您现在主要住在哪里？",
            "Where do you live now?",
            ("您现在主要住在哪里？", "Where do you mostly live now?"),
            tiles=three,
            **plain,
        ),
        "choice_5": question(
            lang,
            "choice",
            "遇到什么急事",
            "What emergency",
            ("遇到什么急事了？点一个。", "What happened? Tap one."),
            tiles=tiles(lang, "answer", *choices[5]),
            **plain,
        ),
        "choice_7": question(
            lang,
            "choice",
            "反映什么事",
            "What is it about",
            ("您要反映什么事？点一个。", "What is it about? Tap one."),
            tiles=tiles(lang, "answer", *choices[7]),
            **plain,
            error=pick(lang, "请点一个图片。", "Please touch a picture."),
        ),
        "village": question(
            lang,
            "village",
            "哪个村",
            "Village",
            ("请点您户口所在的村。", "Tap the village of your household register."),
            tiles=(
                *tiles(
                    lang,
                    "answer",
                    ("石门村", "Shimen", "house"),
                    ("大坪村", "Daping", "house"),
                    ("柳树湾村", "Liushuwan", "house"),
                    ("青山村", "Qingshan", "house"),
                    ("双龙村", "Shuanglong", "house"),
                ),
                Tile(
                    "more",
                    "2",
                    pick(lang, "别的村", "Other villages"),
                    "more",
                    style="more",
                    dom_id="tile-6",
                ),
            ),
            **plain,
        ),
        "consent": question(
            lang,
            "consent",
            "同意用我的信息办事",
            "I agree: use my data for this",
            (
                "我们只把您的信息用来办这件事，同意吗？",
                "We use your information only for this matter. Do you agree?",
            ),
            tiles=tiles(
                lang, "answer", ("同意", "I agree", "check"), ("不同意", "I do not agree", "cross")
            ),
            **plain,
        ),
        "multi_choice": question(
            lang,
            "multi_choice",
            "坏了什么",
            "What was damaged",
            ("坏了什么？可以点好几个。", "What was damaged? You can tap several."),
            choices=many,
            is_required=False,
        ),
        "name": question(
            lang,
            "name",
            "本人姓名",
            "Full name",
            ("请写本人的名字。", "Enter the person's name."),
            value="",
            chars_max=50,
            error=pick(
                lang, "名字没有写对，请再写一遍。", "The name is not right. Please write it again."
            ),
        ),
        "text_note": question(
            lang,
            "text_note",
            "怎么走",
            "How to find you",
            ("您家怎么走？说说门前有什么。", "How do we find your house?"),
            value=pick(
                lang, "村口大槐树往右走到底，红门那家", "Right at the big tree, then the red gate"
            ),
            chars_max=2000,
        ),
        "photo": question(
            lang,
            "photo",
            "代办人身份证照片",
            "Photo of neighbours' signatures",
            ("请拍一下代办人的身份证正面。", "Please take a photo of the agent's ID card."),
            attachments_max=3,
        ),
        "signature": question(
            lang,
            "signature",
            "签名或按手印",
            "Sign or fingerprint",
            ("请签名，不会写字就按手印。", "Please sign. If you cannot write, give a fingerprint."),
        ),
        "voice_note": question(
            lang,
            "voice_note",
            "再说两句",
            "Anything else",
            ("还有要说的，请说。说完点停止。", "Say anything else. Tap stop when done."),
            may_type=True,
            is_required=False,
            skip_action="skip",
            skip_label=pick(lang, "跳过", "Skip"),
        ),
    }
