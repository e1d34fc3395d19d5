"""My matters: what was handed in before, and how far it is. Pure."""

from kiosk.filling import missing_of
from kiosk.phrases import day, day_of, filled, said, words
from kiosk.places import AtMatters
from kiosk.screens import Screen, TimelineItem, Utterance
from kiosk.views import paper
from kiosk.views.frame import Frame, Option, listing, repeats, tiles, voices
from kiosk.views.withdrawing import further
from kiosk.visit import Matter
from kiosk.withdrawing import FINAL, is_final
from sync.forms import NoticeText, Service
from sync.ids import case_parts, is_case_number, spaced
from sync.records import Notice
from voice_prompts.compose import Spoken

#: Pictures of the road, by notice kind.
_ICONS: dict[str, str] = {
    "received": "building",
    "accepted": "desk",
    "correction": "edit",
    "refused": "cross",
    "completed": "check",
    "withdrawn": "bin",
}
#: Pictures of the road on one screen.
_ROAD_MAX = 4


def matters(frame: Frame, place: AtMatters) -> Screen:
    """List the matters found, or say what to do when there is none."""
    found = frame.visit.matters
    if not found:
        return _nothing(frame)
    options = [_matter_option(frame, matter) for matter in found]
    return listing(frame, "matters", "matters.title", options, place.page)


def _matter_option(frame: Frame, matter: Matter) -> Option:
    service = frame.world.catalogue.find(matter.service)
    name = frame.words(service.plain_name) if service else spaced(matter.case_no)
    state = state_of(frame, matter)
    return Option(
        action="matter",
        value=matter.case_no,
        label=name,
        voice=name,
        voice_after=state,
        icon=_ICONS.get(matter.notices[-1].kind, "paper") if matter.notices else "paper",
        note=state,
    )


def _nothing(frame: Frame) -> Screen:
    """Say which number this kiosk does not know and where to ask, never just “not found”."""
    asked = frame.visit.asked_case_no
    key = "matters.none_person"
    if asked:
        is_ours = is_case_number(asked) and case_parts(asked)[0] == frame.world.kiosk_no
        key = "matters.none_here" if is_ours else "matters.none_elsewhere"
    title = frame.say("matters.none")
    return Screen(
        kind="matters",
        language=frame.language,
        title=frame.text("matters.none"),
        lines=(frame.text(key), frame.text("matters.none_call", hotline=frame.world.hotline)),
        can_back=True,
        next_action="back",
        next_label=frame.text("matters.again"),
        say=(*title, *frame.say(key), *frame.say_hotline("matters.none_call")),
        silence=repeats(frame, title, "silence.help"),
        timeout_s=frame.world.idle_s,
    )


def state_of(frame: Frame, matter: Matter) -> str:
    """Answer the matter's state in a few words (我们的五个词)."""
    if matter.is_withdrawing and not is_final(matter):
        return frame.text("withdraw.waiting")
    if not matter.notices:
        return frame.text("road.received_long" if matter.is_delivered else "road.stored")
    notice = matter.notices[-1]
    text = _notice_text(frame.world.catalogue.find(matter.service), notice)
    if text is not None:
        return frame.words(text.title)
    key = f"road.{notice.kind}"
    known = frame.wording.keys()
    return frame.text(key) if key in known else frame.text("road.received")


def _notice_text(service: Service | None, notice: Notice) -> NoticeText | None:
    return service.notices.get(notice.kind) if service is not None else None


def matter(frame: Frame, case_no: str) -> Screen:
    """Show one matter: its road of pictures, its last word read aloud, what can be done."""
    held = next(m for m in frame.visit.matters if m.case_no == case_no)
    service = frame.world.catalogue.find(held.service)
    lines, told = _withdrawal(frame, held, _last_word(frame, held, service))
    options = [*paper.tile(frame), *further(frame, held)]
    can_correct = bool(missing_of(frame.visit, case_no, frame.world))
    name = frame.words(service.plain_name) if service else ""
    title = said(name) if name else frame.say("matters.title")
    as_of = day_of(frame.world.last_ok_ms, frame.world.utc_offset_min)
    age = (frame.text("matter.as_of", date=day(as_of, frame.wording)),)
    return Screen(
        kind="matter",
        language=frame.language,
        title=name or spaced(case_no),
        lines=(*paper.lines(frame), *lines, *(age if frame.world.last_ok_ms else ())),
        timeline=_road(frame, held),
        tiles=tiles(options),
        service_name=spaced(case_no),
        can_back=True,
        next_action="correct" if can_correct else "home",
        next_value=case_no if can_correct else "",
        next_label=frame.text("matter.correct" if can_correct else "matter.done"),
        say=paper.said(frame)
        or (
            *title,
            *told,
            *(frame.say("matter.correct_now", "next") if can_correct else ()),
            *voices(options),
        ),
        silence=repeats(frame, told or title, "silence.matter"),
        timeout_s=frame.world.idle_s,
    )


_Told = tuple[tuple[str, ...], tuple[Utterance, ...]]


def _withdrawal(frame: Frame, held: Matter, told: _Told) -> _Told:
    """Add what became of a withdrawal that was handed in here."""
    if not held.is_withdrawing:
        return told
    if not is_final(held):
        key = "withdraw.waiting"
        return (frame.text(key),), frame.say(key, "line-0")
    if held.notices[-1].kind == "withdrawn":
        return told
    key = "matter.withdraw_late"
    return (*told[0], frame.text(key)), (*told[1], *frame.say(key))


def _last_word(
    frame: Frame, held: Matter, service: Service | None
) -> tuple[tuple[str, ...], tuple[Utterance, ...]]:
    if not held.notices:
        key = "matter.delivered" if held.is_delivered else "matter.stored"
        return (frame.text(key),), frame.say(key, "line-0")
    notice = held.notices[-1]
    text = _notice_text(service, notice)
    missing = _missing_labels(frame, service, notice)
    reason = _reason(frame, notice)
    said_after = (
        *(utterance for label in missing for utterance in said(label)),
        *_said_reason(frame, notice),
        *_said_days(frame, notice),
    )
    if text is None or service is None:
        known = {"received": "matter.received", "withdrawn": "matter.withdrawn"}
        key = known.get(notice.kind, "matter.message")
        return tuple(filter(None, (frame.text(key), reason))), (
            *frame.say(key, "line-0"),
            *said_after,
        )
    comma = "、" if frame.language.startswith("zh") else ", "
    values = {
        "case_no": spaced(held.case_no),
        "hotline": frame.world.hotline,
        "due_date": "" if notice.is_about else day(notice.due_on, frame.wording),
        "correct_by": day(notice.correct_by, frame.wording),
        "missing_items": comma.join(missing),
        "reason": reason,
        "follow_up_days": "5",
    }
    shown = filled(words(text.text, frame.language), values)
    if notice.kind == "correction" and not missing:
        # The clerk said in words what is wrong; the list would be empty.
        shown = frame.words(text.title)
    is_told = bool(reason) and "{reason}" not in words(text.text, frame.language)
    told = (*said(words(text.voice, frame.language), "line-0"), *said_after)
    return ((shown, reason) if is_told else (shown,)), told


def _said_reason(frame: Frame, notice: Notice) -> tuple[Utterance, ...]:
    """Say the listed reason, which is a clip, and what the clerk wrote, which is spoken live."""
    listed = frame.words(frame.world.reasons.get(notice.reason_code, {}))
    own = Spoken("text", notice.words)
    return (*said(listed), *(said("{words}", words=own) if notice.words else ()))


def _said_days(frame: Frame, notice: Notice) -> tuple[Utterance, ...]:
    """Say by when something has to be brought, or by when the answer comes."""
    if notice.correct_by:
        return frame.say("matter.correct_by", date=Spoken("date", notice.correct_by))
    # Once it is decided nobody waits for the day any more.
    if not notice.due_on or notice.kind in FINAL:
        return ()
    key = "receipt.due_about" if notice.is_about else "receipt.due"
    return frame.say(key, date=Spoken("date", notice.due_on))


def _missing_labels(frame: Frame, service: Service | None, notice: Notice) -> list[str]:
    questions = {q.id: q for q in service.questions} if service else {}
    return [frame.words(questions[q].label) for q in notice.missing if q in questions]


def _reason(frame: Frame, notice: Notice) -> str:
    listed = frame.words(frame.world.reasons.get(notice.reason_code, {}))
    stop = "。" if frame.language.startswith("zh") else ". "
    return stop.join(part for part in (listed.rstrip("。. "), notice.words) if part)


def _road(frame: Frame, held: Matter) -> tuple[TimelineItem, ...]:
    offset = frame.world.utc_offset_min
    written = [n for n in held.notices if n.kind in _ICONS]
    # The start and the latest steps; a long road of corrections would not fit.
    written = written[-(_ROAD_MAX - 2) :] if len(written) > _ROAD_MAX - 1 else written
    start = day(day_of(held.confirmed_ms, offset), frame.wording) if held.confirmed_ms else ""
    items = [
        TimelineItem(
            label=frame.text("road.handed_in"),
            at=start,
            is_done=True,
            is_now=not written,
            icon="paper",
            dom_id="road-1",
        )
    ]
    for index, notice in enumerate(written, 2):
        items.append(
            TimelineItem(
                label=frame.text(f"road.{notice.kind}"),
                at=day(day_of(notice.at_ms, offset), frame.wording),
                is_done=True,
                is_now=notice is written[-1],
                icon=_ICONS[notice.kind],
                dom_id=f"road-{index}",
            )
        )
    if not written or written[-1].kind not in FINAL:
        items.append(
            TimelineItem(
                label=frame.text("road.answer"), icon="clock", dom_id=f"road-{len(items) + 1}"
            )
        )
    return tuple(items)
