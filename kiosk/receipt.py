"""What the receipt says, and its QR. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from kiosk.devices.slip import Slip, SlipLine
from kiosk.phrases import day, filled, promise_key, words
from kiosk.screens import ReceiptView
from kiosk.world import World
from sync.forms import Service, Text
from sync.ids import spaced
from sync.records import Receipt
from voice_prompts.compose import sentences
from voice_prompts.wording import Wording


class SlipFacts(msgspec.Struct, frozen=True):
    """What stands on a slip; of the resident's own nothing but the case number."""

    case_no: str
    #: ISO; "" = not known any more.
    handed_in: str
    #: By when the centre said it answers, ISO; "" = it has not yet.
    due_on: str
    hotline: str
    kiosk_name: str
    village: Text
    #: Address of the square; "" = none.
    courier_url: str


#: Modules of quiet zone that readers need around a code (ISO/IEC 18004).
QUIET_MODULES = 4
MASK = 0


@lru_cache(maxsize=1)
def qr_svg(text: str) -> str:
    """Draw a QR code at error level M as one SVG path in `currentColor`.

    Args:
        text: The courier's address; upper case and digits keep the code small, because the
            digits travel in numeric mode.

    Returns:
        `<svg …>` of one unit a module with its quiet zone, no size of its own.
    """
    import qrcode  # noqa: PLC0415 -- 60 ms that the start need not pay
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 -- as above

    # What is sealed looks like chance already: of 120 blurred and turned codes a reader read 72
    # with the best of the eight masks and 75 with this one. To weigh them against each other
    # takes five sixths of the time that a code is drawn in.
    code: Any = qrcode.main.QRCode(
        error_correction=ERROR_CORRECT_M, border=QUIET_MODULES, mask_pattern=MASK
    )
    code.add_data(text, optimize=8)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(_row_path(row, y) for y, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" '
        f'shape-rendering="crispEdges" role="img"><path fill="currentColor" d="{path}"/></svg>'
    )


def _row_path(row: list[bool], y: int) -> str:
    """Draw the runs of dark modules of one row: a tenth of the length of squares."""
    parts, x = [], 0
    while x < len(row):
        run = x
        while run < len(row) and row[run]:
            run += 1
        if run > x:
            parts.append(f"M{x} {y}h{run - x}v1h-{run - x}z")
        x = max(run, x + 1)
    return "".join(parts)


def due_text(service: Service, world: World, wording: Wording) -> str:
    """Answer by when the resident hears; "" for what has no answer.

    The kiosk promises working days and names no day: only the centre counts holidays. When
    its notice has told the day, that day is shown.
    """
    if world.due_on:
        key = "receipt.due_about" if world.due_is_about else "receipt.due"
        return wording.screen(key, date=day(world.due_on, wording))
    if not service.promised_working_days:
        return ""
    days = service.promised_working_days
    return wording.screen(promise_key(days), days=str(days))


def variables(receipt: Receipt, world: World, wording: Wording) -> Mapping[str, str]:
    """Answer the system variables of a receipt's text; unknown ones are missing."""
    known = {"case_no": spaced(receipt.case_no), "hotline": world.hotline}
    if world.due_on and not world.due_is_about:
        known["due_date"] = day(world.due_on, wording)
    return known


def receipt_view(
    receipt: Receipt, service: Service, world: World, language: str, wording: Wording
) -> ReceiptView:
    """Put together what the resident takes along.

    Args:
        receipt: What the commit gave.
        service: Its form, for the text and the promise.
        world: Courier address, delivery and due day of this receipt.
        language: The visit's.
        wording: Words of that language.
    """
    return ReceiptView(
        case_no=spaced(receipt.case_no),
        qr_svg=qr_svg(world.courier_url) if world.courier_url else "",
        due=due_text(service, world, wording),
        lines=(
            wording.screen("receipt.delivered" if world.is_delivered else "receipt.stored"),
            filled(words(service.receipt.text, language), variables(receipt, world, wording)),
            *([wording.screen("receipt.scan")] if world.courier_url else []),
        ),
        is_delivered=world.is_delivered,
    )


def spoken_receipt(service: Service, world: World, language: str, wording: Wording) -> str:
    """Answer the service's receipt voice, without the slip when there is no printer."""
    told = sentences(language, words(service.receipt.voice, language))
    slip = wording.screen("receipt.slip_word")
    kept = [sentence for sentence in told if world.printer.is_able or slip not in sentence]
    return ("" if language.startswith("zh") else " ").join(kept)


def slip_of(facts: SlipFacts, service: Service, language: str, wording: Wording) -> Slip:
    """Put together the slip of paper of one case.

    Args:
        facts: Of the case and the kiosk.
        service: Its form, for its name and promise.
        language: Of the resident's visit.
        wording: Words of that language.
    """
    text = wording.screen
    days = service.promised_working_days
    if facts.due_on:
        due = text("receipt.due", date=day(facts.due_on, wording))
    else:
        due = text(promise_key(days), days=str(days)) if days else ""
    handed_in = day(facts.handed_in, wording)
    village = words(facts.village, language)
    head = (
        SlipLine(text("slip.title"), is_centred=True),
        SlipLine(text("receipt.case_no"), "small", is_centred=True),
        SlipLine(spaced(facts.case_no), "large", is_centred=True),
        SlipLine(words(service.plain_name, language)),
        *([SlipLine(text("slip.handed_in", date=handed_in), "small")] if handed_in else []),
        *([SlipLine(due)] if due else []),
    )
    foot = (
        *([SlipLine(text("receipt.scan"), "small", is_centred=True)] if facts.courier_url else []),
        SlipLine(text("slip.hotline", hotline=facts.hotline)),
        *([SlipLine(village, "small")] if village and village != facts.kiosk_name else []),
        SlipLine(facts.kiosk_name, "small"),
        SlipLine(text("slip.keep"), "small"),
    )
    return Slip(head=head, qr=facts.courier_url, foot=foot)
