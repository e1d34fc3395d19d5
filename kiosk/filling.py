"""Filling a form: choosing the service, answering, correcting, handing in, rating. Pure."""

from msgspec.structs import replace

from kiosk import walk
from kiosk.assisted.consent import helper_of
from kiosk.events import Discard, LookUp, Prepare, Submit, Touch, Wipe
from kiosk.leaving import Step, wiped
from kiosk.places import (
    Asking,
    AtMaterials,
    AtMatter,
    AtOther,
    AtThanks,
    Checking,
    InCategory,
    Rating,
    Waiting,
    Warned,
)
from kiosk.visit import Draft, Visit
from kiosk.world import World, service_of
from sync.forms import Service
from sync.records import Transaction


def open_category(visit: Visit, touch: Touch, world: World) -> Step:
    """Show the services of a category; one alone is begun at once."""
    services = tuple(world.catalogue.in_category(touch.value))
    if len(services) == 1:
        return started(visit, services[0], world)
    if not services:
        return visit, ()
    return replace(visit, place=InCategory(touch.value)), ()


def choose_service(visit: Visit, touch: Touch, world: World) -> Step:
    """Begin a service."""
    service = world.catalogue.find(touch.value)
    return started(visit, service, world) if service is not None else (visit, ())


def nothing_fits(visit: Visit, _: Touch, __: World) -> Step:
    """Show who helps with what the home screen does not offer."""
    return replace(visit, place=AtOther()), ()


def my_matters(visit: Visit, _: Touch, world: World) -> Step:
    """Begin the enquiry for what was handed in before."""
    service = world.catalogue.of_kind("query")
    return started(visit, service, world) if service is not None else (visit, ())


def started(visit: Visit, service: Service, world: World) -> Step:
    """Begin a form: what to have at hand first, when it needs papers."""
    draft = Draft(service=service.id)
    begun = replace(visit, draft=draft, receipt=None, matters=(), asked_case_no="")
    if service.materials:
        return replace(begun, place=AtMaterials()), ()
    return onward(begun, draft, world)


def begin_form(visit: Visit, _: Touch, world: World) -> Step:
    """Go from what to have at hand to the first question."""
    if visit.draft is None:
        return visit, ()
    questions = walk.asked(visit.draft, world)
    if not questions:
        return finished(visit, visit.draft, world)
    return replace(visit, place=Asking(questions[0].id)), ()


def onward(visit: Visit, draft: Draft, world: World) -> Step:
    """Go to the first open question, or to the end of the form."""
    question = walk.first_open(draft, world)
    visit = replace(visit, draft=draft)
    if question is not None:
        return replace(visit, place=Asking(question.id)), ()
    return finished(visit, draft, world)


def answer(visit: Visit, touch: Touch, world: World) -> Step:
    """Take an answer: checked at once, kept, and on to what follows from it."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None or touch.question != place.question:
        return visit, ()
    service = service_of(draft, world)
    question = service.question(place.question)
    # What the form tells is no answer of the resident's.
    said = walk.proposed(draft, world, question) if walk.is_told(question) else touch.value
    value = walk.tidied(world.catalogue, service, question, said)
    problem = walk.problem_with(draft, world, question, value)
    if problem is not None:
        tries = place.tries + 1 if problem.code == place.error else 1
        return replace(visit, place=replace(place, error=problem.code, tries=tries)), ()
    if value and walk.is_doubtful(question, value) and value != place.doubted:
        doubting = replace(place, error="doubtful", tries=1, doubted=value)
        return replace(visit, place=doubting), ()
    answers = {**draft.answers, question.id: value}
    skipped = draft.skipped - {question.id} if value else draft.skipped | {question.id}
    answered = replace(draft, answers=answers, skipped=skipped)
    return _settled(visit, place, answered, world)


#: In `Asking.doubted`: skipping was asked about; no answer is written like this.
_SKIPPED = "\n"


def skip(visit: Visit, touch: Touch, world: World) -> Step:
    """Pass over a question that may be left out."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None or touch.question != place.question:
        return visit, ()
    question = service_of(draft, world).question(place.question)
    if walk.is_needed(draft, world, question):
        return visit, ()
    if draft.held.get(question.id) and place.doubted != _SKIPPED:
        # A photo or a recording would be gone: whoever means it touches once more.
        doubting = replace(place, error="skip_loses", tries=1, doubted=_SKIPPED)
        return replace(visit, place=doubting), ()
    answers = {key: value for key, value in draft.answers.items() if key != question.id}
    held = {key: count for key, count in draft.held.items() if key != question.id}
    passed = replace(draft, answers=answers, held=held, skipped=draft.skipped | {question.id})
    stepped, effects = _settled(visit, place, passed, world)
    return stepped, (Discard(question.id), *effects) if question.id in draft.held else effects


def _settled(visit: Visit, place: Asking, draft: Draft, world: World) -> Step:
    """Warn when it is now known not to fit; else go on."""
    if draft.answers != (visit.draft.answers if visit.draft else {}):
        # Another content is another transaction.
        draft = replace(draft, transaction_id=b"")
    draft = replace(draft, accepted=draft.accepted & set(walk.known_unfit(draft, world)))
    visit = replace(visit, draft=draft)
    warnings = walk.new_warnings(draft, world)
    if warnings:
        return replace(visit, place=Warned(warnings[0], place.question, place.is_change)), ()
    return _next(visit, draft, place.question, place.is_change, world)


def _next(visit: Visit, draft: Draft, question_id: str, is_change: bool, world: World) -> Step:
    follower = walk.first_open(draft, world)
    question = follower if is_change else walk.after(draft, world, question_id)
    while question is not None and not is_change and question.id in draft.given:
        # This person has said it in this visit; the check page shows it.
        question = walk.after(draft, world, question.id)
    if question is None:
        return finished(visit, draft, world)
    return replace(visit, place=Asking(question.id, is_change=is_change)), ()


def go_on_anyway(visit: Visit, _: Touch, world: World) -> Step:
    """Keep in mind that the resident was told, and go on: a person will look."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Warned) or draft is None:
        return visit, ()
    draft = replace(draft, accepted=draft.accepted | {place.index})
    return _settled(visit, Asking(place.question, is_change=place.is_change), draft, world)


def decline(visit: Visit, touch: Touch, world: World) -> Step:
    """End the visit when a consent is refused; nothing is kept."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None or touch.question != place.question:
        return visit, ()
    if service_of(draft, world).question(place.question).type != "consent":
        return visit, ()
    return replace(visit, place=AtThanks("declined"), draft=None), (Wipe(),)


def discard(visit: Visit, touch: Touch, _: World) -> Step:
    """Forget the photos, signature or recording of this question, to make it anew."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None or touch.question != place.question:
        return visit, ()
    held = {key: count for key, count in draft.held.items() if key != place.question}
    answers = {key: value for key, value in draft.answers.items() if key != place.question}
    emptied = replace(draft, held=held, answers=answers, transaction_id=b"")
    return replace(visit, draft=emptied), (Discard(place.question),)


def finished(visit: Visit, draft: Draft, world: World) -> Step:
    """All is answered: look up, hand in a rating, or read the whole back."""
    if service_of(draft, world).case_kind == "query":
        answers = walk.to_submit(draft, world)
        asked = LookUp(
            case_no=answers.get("case_no", ""),
            id_number=answers.get("id_number", ""),
            phone_tail=answers.get("phone_tail", ""),
        )
        visit = replace(visit, place=Waiting("lookup"), draft=draft, asked_case_no=asked.case_no)
        return visit, (asked,)
    minted = replace(draft, transaction_id=draft.transaction_id or world.fresh_id)
    if draft.is_rating:
        return _submitted(visit, minted, world)
    ready = Prepare(_transaction(visit, minted, world))
    return replace(visit, place=Checking(), draft=minted), (ready,)


def change(visit: Visit, touch: Touch, world: World) -> Step:
    """Go from the check page to one question and back."""
    if visit.draft is None or all(q.id != touch.question for q in walk.asked(visit.draft, world)):
        return visit, ()
    return replace(visit, place=Asking(touch.question, is_change=True)), ()


def submit(visit: Visit, _: Touch, world: World) -> Step:
    """Hand in, unless something is wrong; then go to the first of it."""
    draft = visit.draft
    if draft is None:
        return visit, ()
    minted = replace(draft, transaction_id=draft.transaction_id or world.fresh_id)
    return _submitted(visit, minted, world)


def _submitted(visit: Visit, draft: Draft, world: World) -> Step:
    problems = walk.open_problems(draft, world)
    if problems:
        first = problems[0]
        place = Asking(first.question, error=first.code, tries=1, is_change=not draft.is_rating)
        return replace(visit, place=place, draft=draft), ()
    submit = Submit(_transaction(visit, draft, world))
    return replace(visit, place=Waiting("submit"), draft=draft), (submit,)


def _transaction(visit: Visit, draft: Draft, world: World) -> Transaction:
    return Transaction(
        id=draft.transaction_id,
        service=draft.service,
        language=visit.language,
        answers=walk.to_submit(draft, world),
        corrects=draft.corrects,
        helper=helper_of(draft, world),
    )


def retry(visit: Visit, _: Touch, world: World) -> Step:
    """Try again what the kiosk could not do."""
    if visit.draft is None:
        return wiped(visit, world, visit.language)
    return finished(visit, visit.draft, world)


def receipt_read(visit: Visit, _: Touch, world: World) -> Step:
    """Go from the receipt to the rating, unless a rating is what was handed in."""
    rating = world.catalogue.of_kind("rating")
    if rating is None or visit.receipt is None or visit.receipt.service == rating.id:
        return replace(visit, place=AtThanks()), ()
    return replace(visit, place=Rating()), ()


def rate(visit: Visit, touch: Touch, world: World) -> Step:
    """Take the touched face; a bad one is asked why and whether to call back."""
    rating = world.catalogue.of_kind("rating")
    case_no = visit.place.case_no if isinstance(visit.place, Rating) else ""
    case_no = case_no or (visit.receipt.case_no if visit.receipt else "")
    if rating is None or not case_no:
        return visit, ()
    level = rating.question("level")
    if touch.value not in {choice.name for choice in world.catalogue.choices(rating, level)}:
        return visit, ()
    answers = {"case_no": case_no, "level": touch.value}
    draft = Draft(service=rating.id, answers=answers, is_rating=True)
    return onward(visit, draft, world)


def thank(visit: Visit, _: Touch, __: World) -> Step:
    """Go to the last screen without a rating."""
    return replace(visit, place=AtThanks()), ()


def open_matter(visit: Visit, touch: Touch, _: World) -> Step:
    """Show one of the matters found."""
    if all(matter.case_no != touch.value for matter in visit.matters):
        return visit, ()
    return replace(visit, place=AtMatter(touch.value)), ()


def missing_of(visit: Visit, case_no: str, world: World) -> tuple[str, ...]:
    """Answer the questions that a correction notice asks for and this kiosk can ask.

    () when the matter's latest word is no correction, or its form is not on this kiosk.
    """
    for matter in visit.matters:
        if matter.case_no == case_no and matter.notices:
            latest = matter.notices[-1]
            form = world.catalogue.find(matter.service)
            if latest.kind == "correction" and form is not None:
                return tuple(q.id for q in form.questions if q.id in latest.missing)
    return ()


def correct(visit: Visit, touch: Touch, world: World) -> Step:
    """Begin to bring what is missing: only those questions, for that matter."""
    missing = missing_of(visit, touch.value, world)
    if not missing:
        return visit, ()
    if visit.draft is not None and visit.draft.corrects == touch.value:
        # They went back to read the notice again; what they said since stays.
        return replace(visit, place=Asking(missing[0])), ()
    matter = next(m for m in visit.matters if m.case_no == touch.value)
    draft = Draft(service=matter.service, corrects=matter.case_no, only=missing)
    gone = tuple(Discard(question) for question in visit.draft.held) if visit.draft else ()
    return replace(visit, draft=draft, receipt=None, place=Asking(missing[0])), gone
