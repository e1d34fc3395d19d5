"""One thing that the doctor looked at."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at."""

    name: str
    is_good: bool
    #: What was found.
    said: str
    #: What to do; "" when all is well.
    todo: str = ""
    #: Residents are served all the same; somebody should come by.
    is_slight: bool = False

    @property
    def level(self) -> Literal["ok", "warn", "fail"]:
        """Answer how bad it is."""
        if self.is_good:
            return "ok"
        return "warn" if self.is_slight else "fail"


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Answer what a program ends with: 0 all is well, 1 somebody should come by, 2 it fails."""
    levels = {finding.level for finding in findings}
    return 2 if "fail" in levels else int("warn" in levels)


def as_json(findings: tuple[Finding, ...]) -> bytes:
    """Answer the findings for another program, each with the number that people say by phone."""
    told = [
        {
            "line": line,
            "name": finding.name,
            "level": finding.level,
            "said": finding.said,
            "todo": "" if finding.is_good else finding.todo,
        }
        for line, finding in enumerate(findings, 1)
    ]
    return msgspec.json.encode({"findings": told, "exit": exit_code(findings)})


def as_text(findings: tuple[Finding, ...]) -> str:
    """Answer the findings for people: a number, how bad it is, one sentence, what to do."""
    marks = {"ok": "ok  ", "warn": "look", "fail": "FAIL"}
    rows = []
    for line, finding in enumerate(findings, 1):
        rows.append(f"{line:2d} {marks[finding.level]}  {finding.name:<12} {finding.said}")
        if finding.todo and not finding.is_good:
            rows.append(f"           → {finding.todo}")
    return "\n".join(rows)
