"""The life of a case: which step may follow which, and what a decision must say. Pure."""

import datetime as dt
from typing import assert_never

from server.errors import DecisionIncomplete, TransitionRefused
from server.signs import has_hidden_signs
from server.store.rows import Action, CaseState, Decision
from server.workdays import Deadline, add_working_days, working_days_between
from sync import limits

#: Where each action leads, and from where it may be taken. `completed` and `refused` are final:
#: a new decision needs a new application or the review procedure, which has its own record.
STEPS: dict[Action, tuple[CaseState, frozenset[CaseState]]] = {
    "accept": ("accepted", frozenset({"received", "correction"})),
    "correct": ("correction", frozenset({"received", "accepted"})),
    "refuse": ("refused", frozenset({"received", "accepted", "correction"})),
    "complete": ("completed", frozenset({"received", "accepted"})),
}

#: Key of `Service.notices` that tells the resident of each action.
NOTICE_KINDS: dict[Action, str] = {
    "accept": "accepted",
    "correct": "correction",
    "refuse": "refused",
    "complete": "completed",
}


def next_state(state: CaseState, action: Action) -> CaseState:
    """Answer where the action leads.

    Raises:
        TransitionRefused: It cannot be taken from `state`.
    """
    target, sources = STEPS[action]
    if state not in sources:
        raise TransitionRefused(f"a case that is {state} cannot {action}; load the case again")
    return target


def checked(decision: Decision, today: dt.date) -> Decision:
    """Answer the decision with its correction day filled in, or say what the resident lacks.

    Raises:
        DecisionIncomplete: A refusal without a reason, a correction without anything to bring,
            words too long to be spoken or with hidden signs, a correction day past or no date.
    """
    if len(decision.words) > limits.DESK_WORDS_CHARS_MAX:
        raise DecisionIncomplete(f"words may have {limits.DESK_WORDS_CHARS_MAX} characters")
    if has_hidden_signs(decision.words, allowed="\n"):
        raise DecisionIncomplete("words must hold no control characters")
    match decision.action:
        case "refuse":
            if not decision.reason_code:
                raise DecisionIncomplete("a refusal names its reason")
        case "correct":
            if not (decision.missing or decision.words or decision.reason_code):
                raise DecisionIncomplete("a correction says what is missing")
            return Decision(
                action=decision.action,
                reason_code=decision.reason_code,
                words=decision.words,
                missing=decision.missing,
                correct_by=_correct_by(decision.correct_by, today),
            )
        case "accept" | "complete":
            pass
        case _:
            assert_never(decision.action)
    return decision


def _correct_by(text: str, today: dt.date) -> str:
    if not text:
        return add_working_days(today, limits.CORRECTION_WORKING_DAYS).day.isoformat()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise DecisionIncomplete("the last day for a correction is a date") from error
    if day < today:
        raise DecisionIncomplete("the last day for a correction is past")
    return day.isoformat()


def resumed(due_on: dt.date, paused_on: dt.date, today: dt.date) -> Deadline:
    """Answer the new deadline after a correction: the days left when the clock was stopped.

    At least one working day is left, so that nobody has to decide on the day itself.
    """
    left = max(1, working_days_between(paused_on, due_on))
    return add_working_days(today, left)
