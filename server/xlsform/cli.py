"""The command `bianmin forms`: look at forms of others, and turn them into services."""

from pathlib import Path

import click
import msgspec

from server.xlsform.convert import convert as converted
from server.xlsform.findings import Finding, XlsformRefused
from sync.commands import told

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COUNTS = "{name}: {state}  ({errors} 个错误 errors, {warnings} 个提醒 warnings)"


class Checked(msgspec.Struct, frozen=True):
    """What `check --json` says of one file."""

    file: str
    runs: bool
    questions: int
    findings: tuple[Finding, ...]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def forms() -> None:
    """Look at XLSForms (.xlsx, .xls) before they are published.

    \b
    bianmin forms check FILE…                     what runs, and what does not, by cell
    bianmin forms convert FILE -o service.json    the form as a service of a catalogue

    What is supported stands in docs/xlsform.md.
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


@forms.command()
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--json", "is_json", is_flag=True, help="For programs: one JSON array.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.pass_context
@told
def check(context: click.Context, files: tuple[Path, ...], is_json: bool, strict: bool) -> None:
    """Say of each FILE whether the kiosk can run it, and name each cell that is in the way.

    Ends with 1 when one cannot.
    """
    results = [_checked(path) for path in files]
    if is_json:
        click.echo(msgspec.json.format(msgspec.json.encode(results), indent=1).decode())
    else:
        for result in results:
            _say(result)
    if not all(each.runs and not (strict and each.findings) for each in results):
        context.exit(1)


@forms.command()
@click.argument("file", type=_FILE)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the service goes; it belongs into a catalogue's `services`.",
)
@told
def convert(file: Path, output: Path) -> None:
    """Turn FILE into a service, as a catalogue holds it.

    Nothing is written when a cell is in the way. Publish it as part of a catalogue:
    bianmin centre publish checks it once more together with the others.
    """
    result = converted(file.name, file.read_bytes())
    raw = msgspec.json.encode(result.service, order="deterministic")
    output.write_bytes(msgspec.json.format(raw, indent=1) + b"\n")
    for finding in result.findings:
        click.echo(_line(finding), err=True)
    click.echo(f"{output}: {len(result.service.questions)} questions.")


def _checked(path: Path) -> Checked:
    try:
        result = converted(path.name, path.read_bytes())
    except XlsformRefused as error:
        return Checked(str(path), False, 0, error.findings)
    return Checked(str(path), True, len(result.service.questions), result.findings)


def _say(result: Checked) -> None:
    errors = sum(finding.severity == "error" for finding in result.findings)
    click.echo(
        _COUNTS.format(
            name=result.file,
            state="可以用 runs" if result.runs else "不能用 refused",
            errors=errors,
            warnings=len(result.findings) - errors,
        )
    )
    for finding in sorted(result.findings, key=lambda each: each.severity != "error"):
        click.echo(_line(finding))


def _line(finding: Finding) -> str:
    mark = "✗" if finding.severity == "error" else "!"
    return f"  {mark} {finding.place}: {finding.zh}\n      {finding.en}"
