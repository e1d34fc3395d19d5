"""Every sentence of the interface and of the shipped services can be heard."""

import pytest

from bianmin import processes
from bianmin.village import shipped_catalogue
from tests.conftest import VOICE_DIR

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]


async def test_every_sentence_has_a_clip_that_sounds() -> None:
    arguments = ("--catalogue", str(shipped_catalogue()), "--cache", str(VOICE_DIR))
    await processes.run(("voice", "render", *arguments), environment={})

    # Decodes and measures every clip; its exit status and words name those that are wrong.
    await processes.run(("voice", "check", *arguments), environment={})
