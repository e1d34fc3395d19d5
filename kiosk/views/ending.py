"""Receipt, rating, thanks, faults and waiting. Pure."""

from msgspec.structs import replace

from kiosk.phrases import said
from kiosk.places import AtFault, AtThanks, Rating, Waiting
from kiosk.receipt import receipt_view, spoken_receipt
from kiosk.screens import Screen
from kiosk.views import paper
from kiosk.views.assisted import family_options
from kiosk.views.frame import Frame, Option, repeats, tiles, voices
from sync.limits import LAST_SCREEN_S, RECEIPT_S
from voice_prompts.compose import Spoken


def receipt(frame: Frame) -> Screen:
    """Show the number, the code and the promise. Everything here is on the disk already."""
    held = frame.visit.receipt
    assert held is not None  # noqa: S101 -- this place is only reached with a receipt
    service = frame.world.catalogue.service(held.service)
    view = receipt_view(held, service, frame.world, frame.language, frame.wording)
    is_lost = paper.is_in_trouble(frame)
    view = replace(view, slip=paper.lines(frame), is_slip_lost=is_lost)
    if is_lost:
        # The number and the promise stand beside it; what is lost needs the room.
        view = replace(view, lines=(view.lines[0], *view.lines[2:]))
    title = said(spoken_receipt(service, frame.world, frame.language, frame.wording))
    number = frame.say("receipt.your_number", "receipt-no", case_no=Spoken("case_no", held.case_no))
    where = "receipt.delivered" if frame.world.is_delivered else "receipt.stored"
    scan = frame.say("receipt.scan", "receipt-qr") if frame.world.courier_url else ()
    slip = paper.said(frame)
    told = (*title, *number, *frame.say(where), *(slip or frame.say("receipt.keep")), *scan)
    return Screen(
        kind="receipt",
        language=frame.language,
        title=frame.text("receipt.title"),
        service_name=frame.words(service.plain_name),
        receipt=view,
        next_action="continue",
        next_label=frame.text("receipt.next"),
        # One touch from one person's receipt to the next one's form.
        skip_action="helper_again" if frame.visit.helper else "",
        skip_label=frame.text("next.person"),
        print_label=paper.button(frame),
        # What is new comes first: they heard the rest before the paper failed.
        say=(*slip, *number) if is_lost or frame.world.printer.is_again else told,
        silence=((*number, *frame.say("receipt.keep")), frame.say("silence.receipt")),
        timeout_s=RECEIPT_S,
    )


def rating(frame: Frame, place: Rating) -> Screen:
    """Show the five faces, from best to worst, and the way past them."""
    aside = frame.say("rating.aside", "line-0") if place.is_helped else ()
    service = frame.world.catalogue.of_kind("rating")
    assert service is not None  # noqa: S101 -- this place is only reached with that service
    level = service.question("level")
    options = [
        Option(
            action="rate",
            value=choice.name,
            label=frame.words(choice.label),
            voice=frame.words(choice.voice),
            icon=choice.icon,
        )
        for choice in frame.world.catalogue.choices(service, level)
    ]
    title = said(frame.words(level.voice))
    return Screen(
        kind="rating",
        language=frame.language,
        title=frame.words(level.voice),
        lines=(frame.text("rating.aside"),) if place.is_helped else (),
        tiles=tiles(options),
        service_name=frame.words(service.plain_name),
        can_back=True,
        skip_action="rate_skip",
        skip_label=frame.text("rating.skip"),
        say=(*aside, *title, *voices(options), *frame.say("rating.skip_hint", "skip")),
        silence=repeats(frame, title, "rating.skip_hint"),
        timeout_s=LAST_SCREEN_S,
    )


def thanks(frame: Frame, place: AtThanks) -> Screen:
    """Say goodbye."""
    title = frame.say(f"thanks.{place.why}")
    options = family_options(frame)
    return Screen(
        kind="thanks",
        language=frame.language,
        title=frame.text("thanks.title"),
        lines=(frame.text(f"thanks.{place.why}"),),
        tiles=tiles(options),
        next_action="home",
        next_label=frame.text("thanks.home"),
        say=(*title, *voices(options)),
        silence=repeats(frame, title, "silence.thanks"),
        timeout_s=LAST_SCREEN_S,
    )


def fault(frame: Frame, place: AtFault) -> Screen:
    """Say in plain words that the kiosk could not; nothing was promised, nothing is lost."""
    key = f"fault.{place.code}"
    key = key if key in frame.wording.keys() else "fault.other"  # noqa: SIM118 -- no mapping
    has_draft = frame.visit.draft is not None
    title = frame.say("fault.title")
    return Screen(
        kind="fault",
        language=frame.language,
        title=frame.text("fault.title"),
        lines=(frame.text(key), frame.text("fault.hotline", hotline=frame.world.hotline)),
        can_back=has_draft,
        next_action="retry",
        next_label=frame.text("fault.retry" if has_draft else "thanks.home"),
        say=(*title, *frame.say(key)),
        silence=repeats(frame, title, "silence.help"),
        timeout_s=frame.world.idle_s if has_draft else LAST_SCREEN_S,
        code=f"F-{place.code}",
    )


def busy(frame: Frame, place: Waiting) -> Screen:
    """Say that the kiosk is at work."""
    title = frame.say(f"busy.{place.why}")
    return Screen(
        kind="busy",
        language=frame.language,
        title=frame.text(f"busy.{place.why}"),
        can_home=True,
        say=title,
        silence=(title, frame.say("silence.wait")),
        timeout_s=1,
    )
