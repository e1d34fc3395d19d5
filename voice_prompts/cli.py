"""`bianmin voice`: make the kiosk's voice ahead of time, and check it."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from voice_prompts.booth_cli import booth_command
from voice_prompts.check import Fault, check, coverage
from voice_prompts.errors import VoiceError
from voice_prompts.library import Library
from voice_prompts.pack_cli import catalogues_option, pack
from voice_prompts.prompts import Prompt, catalogue_prompts, interface_prompts
from voice_prompts.recordings import MEDIA_TYPES
from voice_prompts.render import render
from voice_prompts.wording import LANGUAGES


def default_cache_dir() -> Path:
    """Answer where clips are kept: BIANMIN_VOICE_CACHE, else the user's cache folder."""
    if configured := os.environ.get("BIANMIN_VOICE_CACHE"):
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bianmin" / "voice"


_cache = click.option(
    "--cache",
    "cache_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_cache_dir,
    show_default="$BIANMIN_VOICE_CACHE or ~/.cache/bianmin/voice",
    help="Folder of the rendered clips.",
)
_recordings = click.option(
    "--recordings",
    "recordings_dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of human recordings, one subfolder per language; they go first.",
)
_languages = click.option(
    "--language",
    "languages",
    type=click.Choice(LANGUAGES),
    multiple=True,
    help="Only this language; may be given several times. Default: all.",
)


@click.group("voice", context_settings={"help_option_names": ["-h", "--help"]})
def voice() -> None:
    """Make the kiosk's voice ahead of time, and check it.

    The kiosk speaks from clips. They are made once, on the machine that
    prepares an installation, and copied with it:

    \b
      bianmin voice render --catalogue catalogue.json
      bianmin voice check  --catalogue catalogue.json
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


voice.add_command(pack)
voice.add_command(booth_command)


@voice.command("render")
@catalogues_option
@_cache
@_languages
@click.option("--jobs", type=click.IntRange(1, 16), default=2, help="Voices at a time.")
def render_command(
    catalogues: tuple[Path, ...], cache_dir: Path, languages: tuple[str, ...], jobs: int
) -> None:
    """Make the clips that are missing.

    Needs espeak-ng and ffmpeg (apt install espeak-ng ffmpeg). May be stopped
    at any time: the next run goes on where this one was. Clips whose words,
    reading or voice changed are made anew. Ends with 1 when a text could not
    be spoken, and says which.
    """
    prompts = _prompts(catalogues, languages)
    with click.progressbar(length=len(prompts), label="Rendering") as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        try:
            report = render(prompts, cache_dir, progress=progress, jobs=jobs)
        except VoiceError as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"{report.rendered_count} rendered, {report.present_count} already there, "
        f"{len(report.failed)} failed; {cache_dir}"
    )
    for failure in report.failed:
        prompt = failure.prompt
        click.echo(f"  {prompt.language} {prompt.source} {prompt.text!r}: {failure.reason}")
    if report.failed:
        raise SystemExit(1)


@voice.command("check")
@catalogues_option
@_cache
@_recordings
@_languages
def check_command(
    catalogues: tuple[Path, ...],
    cache_dir: Path,
    recordings_dir: Path | None,
    languages: tuple[str, ...],
) -> None:
    """Say what is missing or sounds wrong, and how complete each language is.

    Every clip is decoded and measured: is it there, audible, undistorted, and
    about as long as its words? Ends with 1 when something is wrong.

    \b
    missing      no clip: run `bianmin voice render`
    unreadable   not a sound file, or a damaged one
    silent       nothing to hear
    clipped      recorded too loud: distorted
    too short    cut off, or another text
    too long     a pause or another text
    too quiet, too loud   beside the other clips
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
    library = Library(cache_dir, recordings_dir)
    prompts = _prompts(catalogues, languages)
    try:
        with click.progressbar(length=len(prompts), label="Checking") as bar:
            faults = check(prompts, library, progress=lambda done, _: bar.update(done - bar.pos))
        shares = coverage(prompts, library)
    except VoiceError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{'language':<10}{'wanted':>8}{'recorded':>10}{'rendered':>10}{'complete':>10}{'MiB':>7}"
    )
    for share in shares:
        click.echo(
            f"{share.language:<10}{share.wanted_count:>8}{share.recorded_count:>10}"
            f"{share.rendered_count:>10}{share.percent:>9.1f}%{share.size_bytes / 1024**2:>7.1f}"
        )
    problems = [
        problem for language in LANGUAGES if (problem := library.recordings_problem(language))
    ]
    for problem in problems:
        click.echo(f"Recordings not used: {problem}")
    click.echo(_table(faults) if faults else "No faults.")
    if faults or problems:
        raise SystemExit(1)


@voice.command("script")
@catalogues_option
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=LANGUAGES[0],
    show_default=True,
    help="Whose texts.",
)
@click.option(
    "--with-fragments", is_flag=True, help="Also the pieces of numbers, dates and amounts."
)
def script_command(catalogues: tuple[Path, ...], language: str, *, with_fragments: bool) -> None:
    """Print what a speaker has to read, as a pack.toml.

    \b
      bianmin voice script --catalogue catalogue.json > recordings/zh-CN/pack.toml

    Each line is a text and the file name for its recording. Record what you
    can; lines without a file are spoken by the machine. Because the words
    stand beside the file, a text that changes later stops using the old
    recording by itself.
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
    names: dict[str, str] = {}
    for number, prompt in enumerate(_prompts(catalogues, (language,)), start=1):
        if prompt.source != "fragment":
            names.setdefault(prompt.text, f"{prompt.source}.wav")
        elif with_fragments:
            names.setdefault(prompt.text, f"fragment.{number}.wav")
    click.echo(f"# {len(names)} texts; file types: {' '.join(MEDIA_TYPES)}\n[clips]")
    for text, name in names.items():
        # A JSON string is a TOML basic string.
        click.echo(f"{msgspec.json.encode(text).decode()} = {msgspec.json.encode(name).decode()}")


def _prompts(catalogues: Sequence[Path], languages: Sequence[str]) -> list[Prompt]:
    """Read all prompts; many share a text, which is rendered and checked once."""
    found = interface_prompts()
    for path in catalogues:
        try:
            found += catalogue_prompts(msgspec.json.decode(path.read_bytes()))
        except (UnicodeDecodeError, msgspec.DecodeError) as error:
            raise click.ClickException(f"{path} is not JSON: {error}") from error
    wanted = languages or LANGUAGES
    return [prompt for prompt in found if prompt.language in wanted]


def _table(faults: Sequence[Fault]) -> str:
    lines = [f"{'problem':<12}{'language':<10}text"]
    for fault in faults:
        prompt = fault.prompt
        lines.append(f"{fault.problem:<12}{prompt.language:<10}{prompt.text}  ({prompt.source})")
        if fault.detail:
            lines.append(f"{'':<22}{fault.detail}")
    return "\n".join([*lines, f"{len(faults)} faults."])
