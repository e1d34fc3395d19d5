"""Scenarios that put one check to the test each, told step by step."""

from tests.simulation.regressions import Script

SCRIPTS: tuple[Script, ...] = ()
