"""The command `bianmin forms`: look at forms of others, and turn them into services."""

from pathlib import Path

import click
import msgspec

from server.catalogue.checks import faults
from server.errors import CatalogueRefused
from server.xlsform.convert import convert as converted
from server.xlsform.findings import Finding, XlsformRefused
from sync.commands import told
from sync.errors import MALFORMED
from sync.forms import Catalogue, Service, decode_catalogue
from sync.limits import PUBLISH_PROBLEMS_MAX

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
    help="Where the service goes, or the catalogue with --into.",
)
@click.option(
    "--into",
    type=_FILE,
    help="A catalogue (JSON); it is written with this service added, or put in place of its former"
    " version.",
)
@told
def convert(file: Path, output: Path, into: Path | None) -> None:
    """Turn FILE into a service, as a catalogue holds it.

    Nothing is written when a cell is in the way. To publish it:

    \b
    bianmin forms convert FILE --into server/catalogue/catalogue.json -o ours.json
    bianmin centre publish ours.json
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
    result = converted(file.name, file.read_bytes())
    made: Service | Catalogue = result.service
    if into is not None:
        made = _with_service(into.read_bytes(), result.service)
    raw = msgspec.json.encode(made, order="deterministic")
    output.write_bytes(msgspec.json.format(raw, indent=1) + b"\n")
    for finding in result.findings:
        click.echo(_line(finding), err=True)
    click.echo(f"{output}: {len(result.service.questions)} questions.")


def _with_service(raw: bytes, service: Service) -> Catalogue:
    """Answer a catalogue with a service in place of its former version, or at the end.

    Raises:
        CatalogueRefused: It is none, or something in it does not fit.
    """
    try:
        catalogue = decode_catalogue(raw)
    except MALFORMED as error:
        raise CatalogueRefused(f"catalogue: {error}") from error
    services = [service if each.id == service.id else each for each in catalogue.services]
    if service not in services:
        services.append(service)
    whole = msgspec.structs.replace(catalogue, services=tuple(services))
    if found := faults(whole):
        raise CatalogueRefused("\n".join(found[:PUBLISH_PROBLEMS_MAX]))
    return whole


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
