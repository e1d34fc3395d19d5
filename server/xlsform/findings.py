"""What is told about a form: by cell, in Chinese and English, with what to do."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from sync.errors import BianminError
from sync.limits import PUBLISH_PROBLEMS_MAX

_MESSAGES = Path(__file__).with_name("messages.toml")


class Cell(msgspec.Struct, frozen=True):
    """A filled cell: its text without spaces around it, and where it stands."""

    text: str
    sheet: str
    #: As spreadsheets write it, e.g. "B4"; "" for the sheet or the file as a whole.
    at: str

    @property
    def place(self) -> str:
        """Answer where it stands as people write it: "survey!B4"."""
        return f"{self.sheet}!{self.at}" if self.at else self.sheet


class Finding(msgspec.Struct, frozen=True):
    """One thing to know about a form."""

    severity: Literal["error", "warning"]
    #: Sheet and cell, e.g. "survey!B4".
    place: str
    #: A key of messages.toml.
    code: str
    zh: str
    en: str


class XlsformRefused(BianminError):
    """A form cannot run here; `findings` says why by cell."""

    code = "422.50"

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Take every finding, warnings too, for they may be mended in one go."""
        self.findings = tuple(findings)
        errors = [finding for finding in findings if finding.severity == "error"]
        shown = errors[:PUBLISH_PROBLEMS_MAX]
        lines = [f"{finding.place}: {finding.zh}\n    {finding.en}" for finding in shown]
        if len(errors) > len(shown):
            lines.append(f"… {len(errors) - len(shown)}")
        super().__init__("\n".join(lines))


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """Answer the words of every finding: code → language → sentence with {placeholders}."""
    return tomllib.loads(_MESSAGES.read_text("utf-8"))


class Findings:
    """Collects what is found while a form is read."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def error(self, cell: Cell, code: str, **values: object) -> None:
        """Note what keeps the form from running as its author means it."""
        self._note("error", cell, code, values)

    def warning(self, cell: Cell, code: str, **values: object) -> None:
        """Note what is left out or done in another way, without a change to the answers."""
        self._note("warning", cell, code, values)

    @property
    def has_errors(self) -> bool:
        """Answer whether the form is refused."""
        return any(finding.severity == "error" for finding in self.found)

    def refuse_if_any(self) -> None:
        """End here when something was an error.

        Raises:
            XlsformRefused: With everything found so far.
        """
        if self.has_errors:
            raise XlsformRefused(self.found)

    def _note(
        self,
        severity: Literal["error", "warning"],
        cell: Cell,
        code: str,
        values: Mapping[str, object],
    ) -> None:
        words = messages()[code]
        finding = Finding(
            severity, cell.place, code, words["zh"].format(**values), words["en"].format(**values)
        )
        if finding not in self.found:
            self.found.append(finding)
