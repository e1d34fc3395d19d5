"""Screens of every kind in both languages, with made-up content; longest texts on purpose."""

from kiosk.receipt import qr_svg
from kiosk.screens import ReceiptView, Row, Screen, Tile, TimelineItem, Utterance
from tests.browser.sample_assisted import few_assisted_screens
from tests.browser.sample_carry import carry_screens
from tests.browser.sample_comfort import comfort_screens
from tests.browser.sample_devices import device_screens
from tests.browser.sample_entry import entries
from tests.browser.sample_languages import language_screens
from tests.browser.sample_parts import LANGUAGES, base, pick, question, tiles
from tests.browser.sample_questions import questions
from tests.browser.sample_stick import stick_screens
from voice_prompts.wording import Wording

__all__ = ["LANGUAGES", "question", "screens"]


#: What a correction with a listed reason and the clerk's own words comes to.
_LONG_ZH = (
    "您的高龄补贴还差：户口簿照片。请在 2026年12月15日 前补上，一次补齐就行。",
    "代办的人没有写清楚，请补上。户口簿照片看不清，请在窗户边重新拍一张。",
    "这是2026年11月24日的情况。",
)
_LONG_EN = (
    "Your allowance still needs: photo of the household register. Please bring all of it by "
    "15 December 2026.",
    "It does not say clearly who acts for you. The photo of the register is blurred; please take "
    "it again beside a window.",
    "This is how it stood on 24 November 2026.",
)


def screens(language: str) -> dict[str, Screen]:
    """Every kind of screen and entry, by name."""
    return {
        **_places(language),
        **questions(language),
        **entries(language),
        **_ends(language),
        **few_assisted_screens(language),
        **carry_screens(language),
        **stick_screens(language),
        **comfort_screens(language),
        **device_screens(language),
        **language_screens(language),
    }


def _places(lang: str) -> dict[str, Screen]:
    skip = {"skip_action": "skip", "skip_label": pick(lang, "跳过", "Skip")}
    home = tiles(
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
        Tile("matters", "", pick(lang, "查我办的事", "My matters"), "search", dom_id="mine"),
        Tile(
            "open",
            "voice",
            pick(lang, "没有我要办的", "Something else"),
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
        "home": base(
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
        "category": base(
            lang,
            "category",
            "要办哪一件？",
            "Which one?",
            tiles=tiles(lang, "service", *services),
        ),
        "materials": base(
            lang,
            "materials",
            "先把这些准备好",
            "Have these ready",
            lines=(
                pick(lang, "出生医学证明", "Birth certificate"),
                pick(lang, "父母身份证（有就带）", "Parents' ID cards (if you have them)"),
                pick(lang, "户口簿", "Household register"),
                pick(lang, "低保证明(系统可查的不用带)", "Proof of low income (if not on record)"),
                Wording.load(lang).screen("materials.days", days="10"),
            ),
            next_action="continue",
            next_label=pick(lang, "准备好了", "I have them"),
        ),
        "warning": base(
            lang,
            "warning",
            "先跟您说一声",
            "Before you go on",
            lines=(
                pick(lang, "满80岁才能领高龄补贴", "Only for people who are 80 or older"),
                pick(
                    lang,
                    "想办还是可以办，会有人看。",
                    "You can still apply; someone will look at it.",
                ),
            ),
            next_action="continue",
            next_label=pick(lang, "还是要办", "Go on anyway"),
        ),
        "check": base(
            lang,
            "check",
            "请看一遍，对不对？",
            "Is this right?",
            lines=(
                pick(lang, "给王秀兰办养老认证。对吗？", "Confirm the pension of Wang. Correct?"),
            ),
            rows=tuple(
                Row(
                    f"q{index}",
                    pick(lang, han, english),
                    pick(lang, *value),
                    icon,
                    True,
                    f"row-{index}",
                )
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
            service_name=pick(lang, "领养老钱认证", "Confirm you still receive your pension"),
            next_action="submit",
            next_label=pick(lang, "都对，交上去", "All right, hand it in"),
        ),
        "matters": base(
            lang,
            "matters",
            "您办过的事",
            "Your matters",
            tiles=(
                *tiles(lang, "matter", *services[:3]),
                Tile(
                    "more", "2", pick(lang, "还有", "More"), "more", style="more", dom_id="tile-4"
                ),
            ),
        ),
        "help": base(
            lang,
            "help",
            "找人帮我",
            "Get help",
            lines=(pick(lang, "也可以打电话：12345。", "You can also call 12345."),),
            tiles=(
                *tiles(lang, "help_close", ("接着办", "Go on", "check")),
                Tile(
                    "call_helper",
                    "",
                    pick(lang, "叫人过来", "Call somebody"),
                    "helper",
                    style="helper",
                    dom_id="tile-2",
                ),
                Tile(
                    "home",
                    "",
                    pick(lang, "不办了，回首页", "Stop, go home"),
                    "house",
                    dom_id="tile-3",
                ),
            ),
            can_home=False,
            can_help=False,
        ),
        "leave": base(
            lang,
            "leave",
            "不办了吗？",
            "Do you want to stop?",
            lines=(pick(lang, "走了，说过的话都会擦掉。", "What you entered will be erased."),),
            tiles=tiles(lang, "leave", ("接着办", "Go on", "check"), ("不办了", "Stop", "cross")),
            can_home=False,
            can_help=False,
        ),
        "idle": base(
            lang,
            "idle",
            "您还在吗？",
            "Are you still there?",
            lines=(pick(lang, "没有人点，就把说过的话擦掉。", "Without a touch, all is erased."),),
            tiles=tiles(lang, "still_here", ("我还在", "I am here", "hand")),
            can_home=False,
            can_help=False,
            can_back=False,
            timeout_s=45,
        ),
        "matter": base(
            lang,
            "matter",
            "高龄补贴(80岁以上)",
            "Allowance for people aged 80 and over",
            timeline=(
                TimelineItem(
                    pick(lang, "交上来了", "Handed in"), "11月20日", True, False, "", "outbox"
                ),
                TimelineItem(
                    pick(lang, "县里收到了", "Received"), "11月21日", True, False, "", "building"
                ),
                TimelineItem(
                    pick(lang, "要补材料", "More is needed"),
                    "11月24日",
                    False,
                    True,
                    pick(
                        lang,
                        "您的高龄补贴还差：户口簿照片。请在12月1日前补上，一次补齐就行。",
                        "Your allowance still needs: photo of the household register. "
                        "Please bring all of it by 1 December.",
                    ),
                    "edit",
                ),
                TimelineItem(pick(lang, "等答复", "Answer"), "", False, False, "", "check"),
            ),
            next_action="correct",
            next_label=pick(lang, "现在就补", "Add it now"),
        ),
        "matter_long": base(
            lang,
            "matter",
            "高龄补贴(80岁以上)",
            "Allowance for people aged 80 and over",
            timeline=tuple(
                TimelineItem(pick(lang, *label), at, bool(at), icon == "edit", "", icon)
                for label, at, icon in (
                    (
                        ("交上来了", "Handed in"),
                        pick(lang, "2026年11月24日", "24 November 2026"),
                        "paper",
                    ),
                    (
                        ("县里收到了", "Received"),
                        pick(lang, "2026年11月24日", "24 November 2026"),
                        "building",
                    ),
                    (
                        ("要补材料", "More is needed"),
                        pick(lang, "2026年11月24日", "24 November 2026"),
                        "edit",
                    ),
                    (("等答复", "Answer"), "", "clock"),
                )
            ),
            lines=_LONG_ZH if lang == "zh-CN" else _LONG_EN,
            next_action="correct",
            next_label=pick(lang, "现在就补", "Add it now"),
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
            hint=pick(lang, "没有就跳过", "Skip if you have none"),
            **skip,
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
        "receipt": base(
            lang,
            "receipt",
            "收好了！",
            "It is stored!",
            receipt=ReceiptView(
                case_no="0042 0001 3768",
                qr_svg=qr_svg(f"HTTP://BIANMIN.EXAMPLE/C/{digits}"),
                due=pick(lang, "10个工作日内给您答复", "Answer within 10 working days"),
                lines=(
                    pick(
                        lang,
                        "已经锁好，存在这台机子里。有网就自动送到县里。",
                        "Locked and stored here. It is sent as soon as there is a network.",
                    ),
                    pick(
                        lang, "把号抄下来，或者拍张照。", "Write the number down, or take a photo."
                    ),
                ),
                is_delivered=False,
            ),
            can_back=False,
            next_action="continue",
            next_label=pick(lang, "办完了", "Done"),
        ),
        "receipt_plain": base(
            lang,
            "receipt",
            "收好了！",
            "It is stored!",
            receipt=ReceiptView(
                case_no="0042 0001 3768",
                qr_svg="",
                due=pick(lang, "10个工作日内给您答复", "Answer within 10 working days"),
                lines=(pick(lang, "已经送到县里了。", "It has reached the county."),),
                is_delivered=True,
            ),
            can_back=False,
            next_action="continue",
            next_label=pick(lang, "办完了", "Done"),
        ),
        "rating": base(
            lang,
            "rating",
            "今天办得满意吗？点一个笑脸。",
            "How did it go today? Touch a face.",
            tiles=tiles(lang, "rate", *faces),
            skip_action="rate_skip",
            skip_label=pick(lang, "不评了", "No, thank you"),
        ),
        "thanks": base(
            lang,
            "thanks",
            "谢谢您！",
            "Thank you!",
            lines=(pick(lang, "办好了。慢走，有事再来。", "All done. Come back any time."),),
            can_back=False,
            next_action="home",
            next_label=pick(lang, "回首页", "Go to the start"),
        ),
        "fault": base(
            lang,
            "fault",
            "这台机子要歇一歇",
            "This machine needs a rest",
            lines=(
                pick(
                    lang,
                    "机子里放不下了，刚才没有收进去。请找村里的人来看。",
                    "The machine is full; this was not stored. Please tell the village office.",
                ),
                pick(lang, "着急的话，打电话：12345。", "If it is urgent, call 12345."),
            ),
            next_action="retry",
            next_label=pick(lang, "再试一次", "Try again"),
            code="F-507",
        ),
        "busy": base(
            lang,
            "busy",
            "正在收好，请等一下。",
            "Storing it, one moment.",
            can_back=False,
            timeout_s=0,
        ),
    }
