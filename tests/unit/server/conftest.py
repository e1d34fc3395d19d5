"""Fixtures for the tests of the centre."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.catalogue.shelf import Published
from tests.unit.server.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh centre without processes."""
    made = World(tmp_path / "c")
    yield made
    made.close()


@pytest.fixture
def published(world: World) -> Published:
    """The shipped catalogue, published there."""
    return world.publish()
