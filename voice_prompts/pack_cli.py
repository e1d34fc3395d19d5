"""`bianmin voice pack`: put dialects in, look at them, take them out."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from voice_prompts.errors import VoiceError
from voice_prompts.pack_check import Group, PackReport, check_pack, groups_of
from voice_prompts.pack_install import install
from voice_prompts.pack_shelf import default_packs_dir, installed, missing_files, remove
from voice_prompts.pack_source import PackSource
from voice_prompts.packs import Manifest, files_of, is_core_covered
from voice_prompts.prompts import Prompt, catalogue_prompts, interface_prompts

_MEBIBYTE = 1024 * 1024
_FAULTS_SHOWN = 20

packs_option = click.option(
    "--packs",
    "packs_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_packs_dir,
    show_default="$BIANMIN_VOICE_PACKS or ~/.local/share/bianmin/voices",
    help="Folder of the installed packs; the kiosk's setting packs_dir.",
)
catalogues_option = click.option(
    "--catalogue",
    "catalogues",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A catalogue (JSON) whose texts are spoken too; may be given several times.",
)
_path = click.argument("path", metavar="FILE-OR-FOLDER", type=click.Path(path_type=Path))


@click.group("pack", context_settings={"help_option_names": ["-h", "--help"]})
def pack() -> None:
    """Dialects: a person's recordings that go before the machine's voice.

    \b
      bianmin voice booth --language zh-x-tongren    make one, sentence by sentence
      bianmin voice pack check tongren               how complete, what to record again
      bianmin voice pack install tongren             put it in; the kiosk offers it at once
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


@pack.command("install")
@_path
@packs_option
@click.option("--as-recorded", is_flag=True, help="Neither trim, level nor compress.")
def install_command(path: Path, packs_dir: Path, *, as_recorded: bool) -> None:
    """Put a pack in, in place of the one of the same language.

    FILE-OR-FOLDER is a folder with a pack.json, or a zip of one. A power cut leaves the earlier
    pack or the new one, whole. With ffmpeg, wav files are brought to one loudness and to a
    sixteenth of their size.
    """
    try:
        with click.progressbar(length=1, label="Installing") as bar:

            def progress(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            done = install(path, packs_dir, as_recorded=as_recorded, progress=progress)
    except VoiceError as error:
        raise click.ClickException(str(error)) from error
    manifest = done.manifest
    click.echo(
        f"{manifest.language} {manifest.name}: {len(manifest.clips)} clips, "
        f"{done.size_bytes / _MEBIBYTE:.1f} MiB in {packs_dir}"
    )
    for name, reason in done.left_out.items():
        click.echo(f"  left out: {name}: {reason}")
    click.echo(_offer(manifest))


@pack.command("list")
@packs_option
def list_command(packs_dir: Path) -> None:
    """List the installed packs. Ends with 1 when one has lost files."""
    packs = installed(packs_dir)
    if not packs:
        click.echo(f"No packs in {packs_dir}.")
    is_whole = True
    for manifest in packs:
        lost = missing_files(manifest, packs_dir)
        is_whole = is_whole and not lost
        size_bytes = sum(
            (packs_dir / manifest.language / name).stat().st_size
            for name in files_of(manifest)
            if name not in lost
        )
        click.echo(
            f"{manifest.language:<16}{manifest.name:<10}{len(manifest.clips):>6} clips"
            f"{size_bytes / _MEBIBYTE:>7.1f} MiB  {manifest.author}, {manifest.recorded_on}, "
            f"{manifest.licence}"
        )
        if lost:
            click.echo(f"  {len(lost)} files are lost; install the pack again")
    if not is_whole:
        raise SystemExit(1)


@pack.command("remove")
@click.argument("language")
@packs_option
def remove_command(language: str, packs_dir: Path) -> None:
    """Take the pack of a LANGUAGE out."""
    try:
        was_there = remove(language, packs_dir)
    except VoiceError as error:
        raise click.ClickException(str(error)) from error
    if not was_there:
        raise click.ClickException(f"there is no pack of {language}; see: bianmin voice pack list")
    click.echo(f"{language} is removed.")


@pack.command("check")
@_path
@catalogues_option
@click.option("--all", "is_all", is_flag=True, help="Name every missing prompt and every fault.")
def check_command(path: Path, catalogues: tuple[Path, ...], *, is_all: bool) -> None:
    """Say how complete a pack is, service by service, and what to record again.

    Nothing is installed or changed. Ends with 1 when something recorded is wrong; what is not
    recorded yet is no fault, the machine's voice speaks there.

    \b
    stale      the text is another now: not used, record it again
    obsolete   no text says this any more: not used
    unusable   no sound file, a link, too large or damaged
    silent, clipped, too short, too long    record it again
    too quiet, too loud   beside the others; an installation with ffmpeg mends it
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
    try:
        with PackSource(path) as source:
            groups, services = wanted_groups(catalogues, source.manifest.based_on)
            with click.progressbar(length=1, label="Listening") as bar:

                def progress(done: int, total: int) -> None:
                    bar.length = total
                    bar.update(done - bar.pos)

                report = check_pack(source, groups, services, progress=progress)
    except VoiceError as error:
        raise click.ClickException(str(error)) from error
    click.echo(_told(report, is_all=is_all))
    if report.faults:
        raise SystemExit(1)


def wanted_groups(
    catalogues: tuple[Path, ...], language: str
) -> tuple[dict[str, list[Prompt]], list[str]]:
    """Answer all prompts of a language, by what a report tells apart, and which are services.

    Raises:
        click.ClickException: A catalogue is no JSON.
    """
    found: list[Prompt] = []
    services: list[str] = []
    for path in catalogues:
        try:
            content = msgspec.json.decode(path.read_bytes())
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise click.ClickException(f"{path} is not JSON: {error}") from error
        found += [prompt for prompt in catalogue_prompts(content) if prompt.language == language]
        listed = content.get("services", []) if isinstance(content, dict) else []
        services += [str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one]
    spoken = [prompt for prompt in interface_prompts() if prompt.language == language]
    return groups_of(spoken, found, services), services


def _offer(manifest: Manifest) -> str:
    if is_core_covered(manifest):
        return f"The kiosk offers {manifest.name} beside the other languages."
    return (
        "The kiosk does not offer it yet: home, frame, silence, check and receipt must be "
        "recorded first. See: bianmin voice pack check FILE-OR-FOLDER --all"
    )


def _told(report: PackReport, *, is_all: bool) -> str:
    manifest = report.manifest
    services = [group for group in report.groups if group.is_service]
    percent = 100 * report.recorded_count / max(1, report.wanted_count)
    lines = [
        f"{manifest.language} {manifest.name}: {manifest.author}, {manifest.recorded_on}, "
        f"{manifest.licence}",
        f"consent: {manifest.consent}",
        f"{report.recorded_count} of {report.wanted_count} texts, {percent:.1f} %; "
        f"{sum(group.is_whole for group in services)} of {len(services)} services whole; "
        f"{report.size_bytes / _MEBIBYTE:.1f} MiB",
        _loudness(report),
        f"{'group':<24}{'wanted':>8}{'recorded':>10}{'':>4}%",
        *map(_row, report.groups),
    ]
    shown = report.faults if is_all else report.faults[:_FAULTS_SHOWN]
    lines += [f"{fault.problem:<12}{fault.key}  {fault.detail}" for fault in shown]
    if len(shown) < len(report.faults):
        lines.append(f"… and {len(report.faults) - len(shown)} more; see --all")
    if is_all:
        lines += [f"missing     {key}" for group in report.groups for key in group.missing]
    return "\n".join([*lines, f"{_counted(report)}", _offer(manifest)])


def _row(group: Group) -> str:
    mark = "  whole" if group.is_whole else ""
    return (
        f"{group.name:<24}{group.wanted_count:>8}{group.recorded_count:>10}"
        f"{group.percent:>5.0f}{mark}"
    )


def _loudness(report: PackReport) -> str:
    if report.loudness is None:
        return "loudness: nothing can be heard"
    quiet, loud = report.loudness
    return f"loudness: {quiet:.1f} to {loud:.1f} LUFS, spread {report.spread_lu:.1f} LU"


def _counted(report: PackReport) -> str:
    counts: Mapping[str, int] = {
        problem: sum(fault.problem == problem for fault in report.faults)
        for problem in dict.fromkeys(fault.problem for fault in report.faults)
    }
    if not counts:
        return "No faults."
    return ", ".join(f"{count} {problem}" for problem, count in counts.items())
