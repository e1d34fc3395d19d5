"""The choices sheet as lists of ours."""

from collections.abc import Iterable, Mapping

import msgspec

from server.xlsform.findings import Findings
from server.xlsform.tables import Record
from server.xlsform.wording import Wording
from sync.forms import Choice

_OURS = frozenset({"list_name", "name"})
_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg")
OTHER = "other"
_OTHER = {"zh-CN": "其他", "en": "Other"}
ANOTHER_LIST = "another"
ANOTHER: tuple[Choice, ...] = (
    Choice("yes", {"zh-CN": "有", "en": "Yes"}, {"zh-CN": "有。", "en": "Yes."}, icon="yes"),
    Choice("no", {"zh-CN": "没有了", "en": "No"}, {"zh-CN": "没有了。", "en": "No."}, icon="no"),
)


def read_choices(
    rows: Iterable[Record], wording: Wording, findings: Findings, *, may_repeat: bool
) -> dict[str, tuple[Choice, ...]]:
    """Answer the lists by name, in the order of the sheet.

    Args:
        rows: Of the choices sheet.
        wording: Makes texts.
        findings: Takes what is wrong.
        may_repeat: The same name may stand several times, for `choice_filter`.
    """
    lists: dict[str, dict[str, Choice]] = {}
    for record in rows:
        list_name, name = record.text("list_name"), record.text("name")
        if not list_name and not name:
            findings.warning(record.cell("label"), "row_ignored")
            continue
        choices = lists.setdefault(list_name, {})
        if not list_name or not name or " " in name:
            code = "choice_spaces" if name and list_name else "choice_incomplete"
            findings.error(record.cell("name"), code, name=name)
            continue
        choice = _choice(record, name, wording, findings)
        if name not in choices:
            choices[name] = choice
        elif may_repeat and choices[name].label == choice.label:
            variants = (*choices[name].variants, choice.columns)
            choices[name] = msgspec.structs.replace(choices[name], variants=variants)
        else:
            code = "choice_label_differs" if may_repeat else "choice_twice"
            findings.error(record.cell("name"), code, name=name, list=list_name)
    return {name: tuple(choices.values()) for name, choices in lists.items()}


def with_other(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Answer a list with "other" at its end, unless it has one."""
    if any(choice.name == OTHER for choice in choices):
        return choices
    return (*choices, Choice(OTHER, _OTHER, {"zh-CN": "其他。", "en": "Other."}))


def is_yes_no(choices: tuple[Choice, ...]) -> bool:
    """Answer whether a list is the one of yes and no."""
    return {choice.name for choice in choices} == {"yes", "no"} and len(choices) == 2


def _choice(record: Record, name: str, wording: Wording, findings: Findings) -> Choice:
    image = _image(record, findings)
    label = wording.text(record.texts.get("label", {}))
    for cell in record.texts.get("label", {}).values():
        if "${" in cell.text:
            findings.error(cell, "choice_reference")
    if not label:
        findings.warning(record.cell("name"), "choice_unlabelled", name=name)
        label = wording.same(name)
    for column in ("audio", "video", "big-image"):
        for cell in record.texts.get(column, {}).values():
            findings.warning(cell, "media_ignored", column=column)
    columns: Mapping[str, str] = {
        column: cell.text for column, cell in record.cells.items() if column not in _OURS and column
    }
    return Choice(name, label, label, image=image, columns=columns)


def _image(record: Record, findings: Findings) -> str:
    cells = record.texts.get("image", {})
    for cell in cells.values():
        if not cell.text.lower().endswith(_IMAGES) or "/" in cell.text or "\\" in cell.text:
            findings.error(cell, "image_bad", name=cell.text)
            return ""
    names = list(dict.fromkeys(cell.text for cell in cells.values()))
    for cell in list(cells.values())[1:]:
        if cell.text != names[0]:
            findings.warning(cell, "image_of_language")
    return names[0] if names else ""
