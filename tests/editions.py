"""The shipped catalogue as an operator would change it: made-up edits that look real."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from server.catalogue.publish import Sources, read_sources

HOTLINE = "0859-1234567"
#: What a county office adds to the words of a form.
_ADDITIONS = (
    "（可请帮办员代填）",
    "，请带身份证原件",
    "。不识字也可以办",
    "，每年办一次",
    "（赶场天也能办）",
    "，不收任何费用",
    "。办好后短信告诉您",
    "，家人可以代办",
)
Edit = Callable[[dict[str, Any]], None]


def shipped() -> Sources:
    """What we ship."""
    return read_sources(HOTLINE)


def edited(edit: Edit, sources: Sources | None = None) -> Sources:
    """The catalogue after an edit of its JSON."""
    sources = sources or shipped()
    catalogue = msgspec.json.decode(sources.catalogue)
    edit(catalogue)
    return msgspec.structs.replace(sources, catalogue=msgspec.json.encode(catalogue))


def text_changed(catalogue: dict[str, Any]) -> None:
    """One question says one thing more."""
    catalogue["services"][3]["questions"][2]["label"]["zh-CN"] += _ADDITIONS[0]


def percent_changed(catalogue: dict[str, Any]) -> None:
    """One byte in a hundred is new: words added to labels and voices all over the forms."""
    texts = [
        question[place]
        for service in catalogue["services"]
        for question in service["questions"]
        for place in ("label", "voice")
        if question.get(place)
    ]
    left = len(msgspec.json.encode(catalogue)) // 100
    for number, text in enumerate(Random(1).sample(texts, len(texts))):
        if left <= 0:
            return
        addition = _ADDITIONS[number % len(_ADDITIONS)]
        text["zh-CN"] += addition
        left -= len(addition.encode())


def rewritten(catalogue: dict[str, Any]) -> None:
    """A hundred questions say a sentence more that nobody has ever read: some kB, not less."""
    random = Random(3)
    questions = [q for service in catalogue["services"] for q in service["questions"]]
    for question in random.sample(questions, 100):
        sentence = "".join(chr(random.randrange(0x4E00, 0x9FA5)) for _ in range(24))
        question["label"]["zh-CN"] += sentence


def service_added(catalogue: dict[str, Any]) -> None:
    """One service more, in the shape of another."""
    service = copy.deepcopy(catalogue["services"][5])
    service["id"] = "snow_relief"
    service["name"] = {"zh-CN": "雪灾救助申请", "en": "Snow disaster relief"}
    for question in service["questions"]:
        question["label"]["zh-CN"] = "雪灾救助：" + question["label"]["zh-CN"]
    catalogue["services"].append(service)


def villages_added(sources: Sources | None = None) -> Sources:
    """Two villages were split: three rows more."""
    sources = sources or shipped()
    rows = (
        "522326101251,青石镇上大塘村,Upper Datang\n"
        "522326101252,青石镇新马鞍村,New Ma'an\n"
        "522326101253,青石镇枫林村,Fenglin\n"
    )
    return msgspec.structs.replace(sources, villages=sources.villages + rows.encode())
