"""Screens of every kind in both languages, with made-up content; longest texts on purpose."""

from kiosk.screens import (
    Entry,
    ReceiptView,
    Row,
    Screen,
    StatusLine,
    Tile,
    TimelineItem,
    Utterance,
)
from sync.forms import QuestionType

LANGUAGES = ("zh-CN", "en")
_STATUS = {
    "zh-CN": "没有网也能办。已存好3件，有网就送出。",
    "en": "No network needed. 3 stored, sent when there is one.",
}


def qr_svg(text: str) -> str:
    """Draw a code as the kiosk does, without asking the kiosk."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text, optimize=8)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" '
        f'shape-rendering="crispEdges" role="img"><path fill="currentColor" d="{path}"/></svg>'
    )


def _pick(language: str, han: str, english: str) -> str:
    return han if language == "zh-CN" else english


def _tiles(language: str, action: str, *items: tuple[str, str, str]) -> tuple[Tile, ...]:
    return tuple(
        Tile(
            action=action,
            value=f"v{index}",
            label=_pick(language, han, english),
            icon=icon,
            dom_id=f"tile-{index}",
        )
        for index, (han, english, icon) in enumerate(items, 1)
    )


def _base(language: str, kind: str, han: str, english: str, **more: object) -> Screen:
    fields: dict[str, object] = {
        "status": StatusLine(pending=3, is_reachable=False, text=_STATUS[language]),
        "languages": (("en", "English"),) if language == "zh-CN" else (("zh-CN", "中文"),),
        "timeout_s": 120,
        "can_back": True,
    }
    fields.update(more)
    return Screen(  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        language=language,
        title=_pick(language, han, english),
        **fields,  # type: ignore[arg-type]
    )


def question(
    language: str, kind: QuestionType, han: str, english: str, line: tuple[str, str], **more: object
) -> Screen:
    """One question as the visit gives it: the label as title, the spoken sentence as line."""
    entry_fields: dict[str, object] = {"today": "2026-11-24"}
    screen_fields: dict[str, object] = {
        "step": 5,
        "steps": 14,
        "service_name": _pick(language, "领养老钱认证", "Confirm you still receive your pension"),
        "next_action": "answer",
        "next_label": _pick(language, "下一步", "Next"),
        "lines": (_pick(language, *line),),
    }
    for name, value in more.items():
        (entry_fields if name in Entry.__struct_fields__ else screen_fields)[name] = value
    entry = Entry(kind=kind, question=f"q_{kind}", **entry_fields)  # type: ignore[arg-type]
    return _base(language, "question", han, english, entry=entry, **screen_fields)


def screens(language: str) -> dict[str, Screen]:
    """Every kind of screen and entry, by name."""
    return {**_places(language), **_questions(language), **_ends(language)}


def _places(lang: str) -> dict[str, Screen]:
    skip = {"skip_action": "skip", "skip_label": _pick(lang, "跳过", "Skip")}
    home = _tiles(
        lang,
        "open",
        ("钱和补贴", "Money", "coin"),
        ("看病医保", "Health", "hospital"),
        ("生娃家庭", "Family", "baby"),
        ("种地农机", "Farming", "field"),
        ("开证明", "Papers", "paper"),
        ("更多事情", "More", "more"),
    )
    foot = (
        Tile("matters", "", _pick(lang, "查我办的事", "My matters"), "search", dom_id="mine"),
        Tile(
            "open",
            "voice",
            _pick(lang, "没有我要办的", "Something else"),
            "mouth",
            style="quiet",
            dom_id="other",
        ),
    )
    services = (
        ("领养老钱认证", "Confirm you still receive your pension", "elder"),
        ("高龄补贴(80岁以上)", "Allowance for people aged 80 and over", "parent"),
        ("残疾人补贴", "Disability subsidies", "wheelchair"),
        ("生活困难申请救助", "Ask for help in hardship", "heart"),
    )
    return {
        "home": _base(
            lang,
            "home",
            "您好，今天办什么事？",
            "What do you need?",
            tiles=home + foot,
            can_back=False,
            can_home=False,
            timeout_s=0,
            say=(
                Utterance("您好", highlight="title"),
                Utterance("看病医保", highlight="tile-2"),
            ),
        ),
        "category": _base(
            lang,
            "category",
            "要办哪一件？",
            "Which one?",
            tiles=_tiles(lang, "service", *services),
        ),
        "materials": _base(
            lang,
            "materials",
            "先把这些准备好",
            "Have these ready",
            tiles=_tiles(
                lang,
                "none",
                ("出生医学证明", "Birth certificate", "baby"),
                ("父母身份证（有就带）", "Parents' ID cards (if you have them)", "id"),
                ("户口簿", "Household register", "book"),
            ),
            lines=(_pick(lang, "10个工作日内给您答复", "Answer within 10 working days"),),
            next_action="continue",
            next_label=_pick(lang, "准备好了", "I have them"),
        ),
        "warning": _base(
            lang,
            "warning",
            "先跟您说一声",
            "Before you go on",
            lines=(
                _pick(lang, "满80岁才能领高龄补贴", "Only for people who are 80 or older"),
                _pick(
                    lang,
                    "想办还是可以办，会有人看。",
                    "You can still apply; someone will look at it.",
                ),
            ),
            next_action="continue",
            next_label=_pick(lang, "还是要办", "Go on anyway"),
        ),
        "check": _base(
            lang,
            "check",
            "请看一遍，对不对？",
            "Is this right?",
            lines=(
                _pick(lang, "给王秀兰办养老认证。对吗？", "Confirm the pension of Wang. Correct?"),
            ),
            rows=tuple(
                Row(f"q{index}", _pick(lang, han, english), _pick(lang, *value), icon, True, f"row-{index}")
                for index, (han, english, value, icon) in enumerate(
                    (
                        ("给谁办", "Who is it for", ("给自己办", "For me"), "person"),
                        ("身份证号", "ID number", ("530121********0013",) * 2, ""),
                        ("姓名", "Full name", ("王秀兰",) * 2, ""),
                        (
                            "代办人身份证照片",
                            "Photo of agent's ID",
                            ("还没有拍，过几天补上也行", "Not taken yet, may be brought later"),
                            "camera",
                        ),
                    ),
                    1,
                )
            ),
            page=2,
            pages=3,
            service_name=_pick(lang, "领养老钱认证", "Confirm you still receive your pension"),
            next_action="submit",
            next_label=_pick(lang, "都对，交上去", "All right, hand it in"),
        ),
        "matters": _base(
            lang,
            "matters",
            "您办过的事",
            "Your matters",
            tiles=(
                *_tiles(lang, "matter", *services[:3]),
                Tile("more", "2", _pick(lang, "还有", "More"), "more", style="more", dom_id="tile-4"),
            ),
        ),
        "help": _base(
            lang,
            "help",
            "找人帮我",
            "Get help",
            lines=(_pick(lang, "也可以打电话：12345。", "You can also call 12345."),),
            tiles=(
                *_tiles(lang, "help_close", ("接着办", "Go on", "check")),
                Tile(
                    "call_helper",
                    "",
                    _pick(lang, "叫人过来", "Call somebody"),
                    "helper",
                    style="helper",
                    dom_id="tile-2",
                ),
                Tile("home", "", _pick(lang, "不办了，回首页", "Stop, go home"), "house", dom_id="tile-3"),
            ),
            can_home=False,
            can_help=False,
        ),
        "leave": _base(
            lang,
            "leave",
            "不办了吗？",
            "Do you want to stop?",
            lines=(
                _pick(lang, "走了，说过的话都会擦掉。", "What you entered will be erased."),
            ),
            tiles=_tiles(lang, "leave", ("接着办", "Go on", "check"), ("不办了", "Stop", "cross")),
            can_home=False,
            can_help=False,
        ),
        "idle": _base(
            lang,
            "idle",
            "您还在吗？",
            "Are you still there?",
            lines=(
                _pick(lang, "没有人点，就把说过的话擦掉。", "Without a touch, all is erased."),
            ),
            tiles=_tiles(lang, "still_here", ("我还在", "I am here", "hand")),
            can_home=False,
            can_help=False,
            can_back=False,
            timeout_s=45,
        ),
        "matter": _base(
            lang,
            "matter",
            "高龄补贴(80岁以上)",
            "Allowance for people aged 80 and over",
            timeline=(
                TimelineItem(_pick(lang, "交上来了", "Handed in"), "11月20日", True, False, "", "outbox"),
                TimelineItem(_pick(lang, "县里收到了", "Received"), "11月21日", True, False, "", "building"),
                TimelineItem(
                    _pick(lang, "要补材料", "More is needed"),
                    "11月24日",
                    False,
                    True,
                    _pick(
                        lang,
                        "您的高龄补贴还差：户口簿照片。请在12月1日前补上，一次补齐就行。",
                        "Your allowance still needs: photo of the household register. "
                        "Please bring all of it by 1 December.",
                    ),
                    "edit",
                ),
                TimelineItem(_pick(lang, "等答复", "Answer"), "", False, False, "", "check"),
            ),
            next_action="correct",
            next_label=_pick(lang, "现在就补", "Add it now"),
        ),
        "optional": question(
            lang,
            "amount",
            "全家一个月收入",
            "Family income a month",
            ("全家一个月大概多少钱收入？", "About how much does the family earn a month?"),
            value="34500.5",
            chars_max=10,
            is_required=False,
            hint=_pick(lang, "没有就跳过", "Skip if you have none"),
            **skip,
        ),
    }


def _questions(lang: str) -> dict[str, Screen]:
    choices = {
        2: (("要", "Yes", "check"), ("不要", "No", "cross")),
        3: (("就在村里", "In the village", "house"), ("县里镇上", "In town", "town"), ("外地", "Away", "train")),
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
        for index, t in enumerate(_tiles(lang, "answer", *choices[7]))
    )
    selected = _tiles(lang, "answer", *choices[3])
    three = (
        Tile("answer", "v1", selected[0].label, "house", is_selected=True, dom_id="tile-1"),
        *selected[1:],
    )
    return {
        "id_number": question(
            lang, "id_number", "身份证号", "ID number",
            ("把身份证放在读卡区，或者按数字输。", "Put the ID card on the reader, or type the number."),
            chars_max=18, groups=(6, 8, 4), value="5301211946112400",
        ),
        "id_number_wrong": question(
            lang, "id_number", "身份证号", "ID number",
            ("把身份证放在读卡区，或者按数字输。", "Put the ID card on the reader, or type the number."),
            chars_max=18, groups=(6, 8, 4), value="530121194611240017",
            error=_pick(
                lang,
                "有一个数字不对。请照着身份证，一段一段看。要不要找人帮忙？点右上角。",
                "One digit is wrong. Compare with the card, part by part. Need help? Touch top right.",
            ),
        ),
        "phone": question(
            lang, "phone", "联系电话", "Phone number",
            ("请输能打通的电话，没有就按跳过。", "Enter a phone we can reach, or press skip."),
            chars_max=13, groups=(3, 4, 4), value="13800",
        ),
        "bank_card": question(
            lang, "bank_card", "银行卡号", "Bank card number",
            ("请照着银行卡按号码。", "Copy the number of the bank card."),
            chars_max=19, groups=(4, 4, 4, 4, 3), value="622202001234567",
        ),
        "case_no": question(
            lang, "case_no", "受理号", "Case number",
            ("把小票上的码对准扫，或者输号。", "Scan the code of the slip, or type the number."),
            chars_max=12, groups=(4, 4, 4), value="00420001",
        ),
        "digits4": question(
            lang, "digits4", "电话后四位", "Last 4 digits of the phone",
            ("请输您留的电话的后四位。", "Enter the last four digits of the phone you left."),
            chars_max=4, groups=(4,), value="12",
        ),
        "integer": question(
            lang, "integer", "一起生活几口人", "People in the household",
            ("一起吃住的有几口人？", "How many people live and eat together?"),
            chars_max=4, value="4",
        ),
        "date": question(
            lang, "date", "娃娃的出生日期", "Baby's date of birth",
            ("娃娃哪天生的？按公历填。", "On which day was the baby born? Western calendar."),
        ),
        "date_day": question(
            lang, "date", "娃娃的出生日期", "Baby's date of birth",
            ("娃娃哪天生的？按公历填。", "On which day was the baby born? Western calendar."),
            value="2026-10-31",
            error=_pick(lang, "这个日子不对，请再选一次。", "This day is not right. Please choose again."),
        ),
        "choice_2": question(
            lang, "yes_no", "爸妈都同意吗", "Do both parents agree",
            ("爸爸妈妈都同意落这个户吗？", "Do both parents agree to register here?"),
            tiles=_tiles(lang, "answer", *choices[2]), **plain,
        ),
        "choice_3": question(
            lang, "choice", "您现在主要住在哪里？", "Where do you live now?",
            ("您现在主要住在哪里？", "Where do you mostly live now?"),
            tiles=three, **plain,
        ),
        "choice_5": question(
            lang, "choice", "遇到什么急事", "What emergency",
            ("遇到什么急事了？点一个。", "What happened? Tap one."),
            tiles=_tiles(lang, "answer", *choices[5]), **plain,
        ),
        "choice_7": question(
            lang, "choice", "反映什么事", "What is it about",
            ("您要反映什么事？点一个。", "What is it about? Tap one."),
            tiles=_tiles(lang, "answer", *choices[7]), **plain,
            error=_pick(lang, "请点一个图片。", "Please touch a picture."),
        ),
        "village": question(
            lang, "village", "哪个村", "Village",
            ("请点您户口所在的村。", "Tap the village of your household register."),
            tiles=(
                *_tiles(
                    lang, "answer",
                    ("石门村", "Shimen", "house"), ("大坪村", "Daping", "house"),
                    ("柳树湾村", "Liushuwan", "house"), ("青山村", "Qingshan", "house"),
                    ("双龙村", "Shuanglong", "house"),
                ),
                Tile("more", "2", _pick(lang, "别的村", "Other villages"), "more", style="more", dom_id="tile-6"),
            ),
            **plain,
        ),
        "consent": question(
            lang, "consent", "同意用我的信息办事", "I agree: use my data for this",
            ("我们只把您的信息用来办这件事，同意吗？", "We use your information only for this matter. Do you agree?"),
            tiles=_tiles(lang, "answer", ("同意", "I agree", "check"), ("不同意", "I do not agree", "cross")),
            **plain,
        ),
        "multi_choice": question(
            lang, "multi_choice", "坏了什么", "What was damaged",
            ("坏了什么？可以点好几个。", "What was damaged? You can tap several."),
            choices=many, is_required=False,
        ),
        "name": question(
            lang, "name", "本人姓名", "Full name",
            ("请写本人的名字，也可以手写。", "Enter the person's name. You can write it by hand."),
            value="", chars_max=50,
            error=_pick(lang, "名字没有写对，请再写一遍。", "The name is not right. Please write it again."),
        ),
        "text_note": question(
            lang, "text_note", "怎么走", "How to find you",
            ("您家怎么走？说说门前有什么。", "How do we find your house?"),
            value=_pick(lang, "村口大槐树往右走到底，红门那家", "Right at the big tree, then the red gate"), chars_max=2000,
        ),
        "photo": question(
            lang, "photo", "代办人身份证照片", "Photo of neighbours' signatures",
            ("请拍一下代办人的身份证正面。", "Please take a photo of the agent's ID card."),
            attachments_max=3,
        ),
        "signature": question(
            lang, "signature", "签名或按手印", "Sign or fingerprint",
            ("请签名，不会写字就按手印。", "Please sign. If you cannot write, give a fingerprint."),
        ),
        "voice_note": question(
            lang, "voice_note", "再说两句", "Anything else",
            ("还有要说的，请说。说完点停止。", "Say anything else. Tap stop when done."),
            may_type=True, is_required=False, skip_action="skip", skip_label=_pick(lang, "跳过", "Skip"),
        ),
    }


def _ends(lang: str) -> dict[str, Screen]:
    faces = (
        ("非常满意", "Very satisfied", "face5"),
        ("满意", "Satisfied", "face4"),
        ("基本满意", "Fairly satisfied", "face3"),
        ("不满意", "Dissatisfied", "face2"),
        ("非常不满意", "Very dissatisfied", "face1"),
    )
    digits = "".join(str((index * 7919 + 13) % 10) for index in range(520))
    return {
        "receipt": _base(
            lang, "receipt", "收好了！", "It is stored!",
            receipt=ReceiptView(
                case_no="0042 0001 3768",
                qr_svg=qr_svg(f"HTTP://BIANMIN.EXAMPLE/C/{digits}"),
                due=_pick(lang, "10个工作日内给您答复", "Answer within 10 working days"),
                lines=(
                    _pick(
                        lang,
                        "已经锁好，存在这台机子里。有网就自动送到县里。",
                        "Locked and stored in this machine. It is sent as soon as there is a network.",
                    ),
                    _pick(lang, "把号抄下来，或者拍张照。", "Write the number down, or take a photo."),
                ),
                is_delivered=False,
            ),
            can_back=False, next_action="continue", next_label=_pick(lang, "办完了", "Done"),
        ),
        "receipt_plain": _base(
            lang, "receipt", "收好了！", "It is stored!",
            receipt=ReceiptView(
                case_no="0042 0001 3768", qr_svg="",
                due=_pick(lang, "10个工作日内给您答复", "Answer within 10 working days"),
                lines=(_pick(lang, "已经送到县里了。", "It has reached the county."),),
                is_delivered=True,
            ),
            can_back=False, next_action="continue", next_label=_pick(lang, "办完了", "Done"),
        ),
        "rating": _base(
            lang, "rating", "今天办得满意吗？点一个笑脸。", "How did it go today? Touch a face.",
            tiles=_tiles(lang, "rate", *faces),
            skip_action="rate_skip", skip_label=_pick(lang, "不评了", "No, thank you"),
        ),
        "thanks": _base(
            lang, "thanks", "谢谢您！", "Thank you!",
            lines=(_pick(lang, "办好了。慢走，有事再来。", "All done. Come back any time."),),
            can_back=False, next_action="home", next_label=_pick(lang, "回首页", "Go to the start"),
        ),
        "fault": _base(
            lang, "fault", "这台机子要歇一歇", "This machine needs a rest",
            lines=(
                _pick(
                    lang,
                    "机子里放不下了，刚才没有收进去。请找村里的人来看。",
                    "The machine is full, and this was not stored. Please tell someone in the village.",
                ),
                _pick(lang, "着急的话，打电话：12345。", "If it is urgent, call 12345."),
            ),
            next_action="retry", next_label=_pick(lang, "再试一次", "Try again"), code="F-507",
        ),
        "busy": _base(
            lang, "busy", "正在收好，请等一下。", "Storing it, one moment.", can_back=False, timeout_s=0,
        ),
    }
