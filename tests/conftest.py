"""What all tests share: where things are, and that nothing reaches out of the test's folder."""

import os
from pathlib import Path

import pytest

from voice_prompts.cli import default_cache_dir

# Their assertions tell what differs, as a test's own do.
pytest.register_assert_rewrite("tests.integration.delivery", "tests.device", "tests.village")

ROOT = Path(__file__).resolve().parents[1]

#: Rendered sentences, shared by every kiosk of this user: rendering them takes minutes, and
#: each clip is named by its content.
VOICE_DIR = default_cache_dir()


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the source."""
    return ROOT


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> None:
    """Settings of the machine that runs the tests must not decide them; a proxy neither."""
    for name in list(os.environ):
        if name.startswith("BIANMIN_") or name.lower() in {"http_proxy", "https_proxy"}:
            del os.environ[name]
