"""`bianmin voice booth`: a page on this machine to record a dialect, sentence by sentence."""

import datetime as dt
from pathlib import Path

import click
from msgspec.structs import replace

from voice_prompts.booth import Booth, build_app, opened
from voice_prompts.errors import PackWrong, VoiceError
from voice_prompts.library import Library
from voice_prompts.pack_check import keyed
from voice_prompts.pack_cli import catalogues_option, wanted_groups
from voice_prompts.packs import Manifest, is_tag
from voice_prompts.wording import LANGUAGES

HOST = "127.0.0.1"  # a microphone is only given to a page of this machine


@click.command("booth")
@click.option("--language", required=True, help='Tag: "yi", or "zh-x-tongren" for a dialect.')
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pack; by default named by the language. An unfinished one is gone on with.",
)
@catalogues_option
@click.option(
    "--cache",
    "cache_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the rendered clips, for the examples; as of `bianmin voice render`.",
)
@click.option("--based-on", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option("--name", help="The language's own name, as on the kiosk's button. Asked for.")
@click.option("--author", help="Who speaks. Asked for.")
@click.option("--consent", help="How the speaker agreed, and where the paper lies. Asked for.")
@click.option("--licence", help="Who may use it: CC-BY-4.0. Asked for.")
@click.option("--port", type=click.IntRange(1, 65535), default=8430, show_default=True)
def booth_command(
    language: str,
    folder: Path | None,
    catalogues: tuple[Path, ...],
    cache_dir: Path | None,
    port: int,
    based_on: str,
    **head: str | None,
) -> None:
    """Record a dialect: a page on this machine shows one sentence at a time.

    Hear the example, press the space bar, speak, press it again, go on with the right arrow. Every
    sentence is on the disk before the page says so; stop at any time and go on another day. What
    comes first is needed most; texts that changed since are asked for again.
    """
    from voice_prompts.cli import default_cache_dir  # noqa: PLC0415 -- it adds this command

    if not is_tag(language):
        raise click.ClickException(f'{language!r} is no language tag; such as "zh-x-tongren"')
    place = folder or Path(language)
    try:
        today = dt.datetime.now(dt.UTC).date()
        manifest = opened(place) or _asked(language, based_on, today, head)
        if manifest.language != language:
            raise PackWrong(f"{place} is a pack of {manifest.language}; choose another folder")
        manifest = replace(manifest, recorded_on=today)
        groups, _ = wanted_groups(catalogues, manifest.based_on)
        library = Library(cache_dir or default_cache_dir())
        booth = Booth(place, manifest, keyed(groups), library)
    except VoiceError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Recording {booth.manifest.name} into {place}.  Open http://{HOST}:{port}/")
    click.echo("Stop with Ctrl-C at any time; then:  bianmin voice pack check " + str(place))
    from aiohttp import web  # noqa: PLC0415 -- see `build_app`

    web.run_app(build_app(booth), host=HOST, port=port, print=lambda _: None, access_log=None)


def _asked(language: str, based_on: str, today: dt.date, head: dict[str, str | None]) -> Manifest:
    """Ask for what a new pack must say of itself."""
    given = {name: value or click.prompt(name.capitalize()) for name, value in head.items()}
    return Manifest(
        language=language,
        based_on=based_on,
        recorded_on=today,
        name=given["name"],
        author=given["author"],
        consent=given["consent"],
        licence=given["licence"],
    )
