"""How sample screens are put together."""

from kiosk.screens import Entry, Screen, ScreenKind, StatusLine, Tile
from sync.forms import QuestionType

LANGUAGES = ("zh-CN", "en")
_STATUS = {
    "zh-CN": "没有网也能办。已存好3件，有网就送出。",
    "en": "No network needed. 3 stored, sent when there is one.",
}


def pick(language: str, han: str, english: str) -> str:
    return han if language == "zh-CN" else english


def tiles(language: str, action: str, *items: tuple[str, str, str]) -> tuple[Tile, ...]:
    return tuple(
        Tile(
            action=action,
            value=f"v{index}",
            label=pick(language, han, english),
            icon=icon,
            dom_id=f"tile-{index}",
        )
        for index, (han, english, icon) in enumerate(items, 1)
    )


def base(language: str, kind: ScreenKind, han: str, english: str, **more: object) -> Screen:
    fields: dict[str, object] = {
        "status": StatusLine(pending=3, is_reachable=False, text=_STATUS[language]),
        "languages": (("en", "English"),) if language == "zh-CN" else (("zh-CN", "中文"),),
        "timeout_s": 120,
        "can_back": True,
    }
    fields.update(more)
    return Screen(
        kind=kind,
        language=language,
        title=pick(language, han, english),
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
        "service_name": pick(language, "领养老钱认证", "Confirm you still receive your pension"),
        "next_action": "answer",
        "next_label": pick(language, "下一步", "Next"),
        "lines": (pick(language, *line),),
    }
    for name, value in more.items():
        (entry_fields if name in Entry.__struct_fields__ else screen_fields)[name] = value
    entry = Entry(kind=kind, question=f"q_{kind}", **entry_fields)  # type: ignore[arg-type]
    return base(language, "question", han, english, entry=entry, **screen_fields)
