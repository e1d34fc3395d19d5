"""Whatever is taken out of the product on purpose, the simulation notices; and only then.

By hand: `make mutate`, `deploy/mutate --only "kiosk: acknowledged by number"`.
"""

import subprocess
import sys

import pytest

from tests.simulation import mutate, regressions, trials
from tests.simulation.mutations import MUTATIONS, Edit, Mutation
from tests.simulation.world import run_plan


def test_every_mutation_still_applies_and_compiles() -> None:
    for mutation in MUTATIONS:
        for name, source in mutate.sources(mutation).items():
            compile(source, name, "exec")

    assert len(MUTATIONS) >= 24
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_every_scenario_that_a_mutation_names_exists() -> None:
    scripts = {script.__name__ for script in (*regressions.SCRIPTS, *trials.SCRIPTS)}
    named = {name for mutation in MUTATIONS for name in mutation.first if not name.isdigit()}

    assert named <= scripts


def test_a_mutation_whose_text_is_gone_is_told_of() -> None:
    gone = Edit("sync/exchange.py", "this text was changed meanwhile", "")

    with pytest.raises(mutate.Stale):
        mutate.edited("other text", [gone])


def test_a_mutation_whose_text_is_there_twice_is_told_of() -> None:
    with pytest.raises(mutate.Stale):
        mutate.edited("return None\nreturn None", [Edit("sync/exchange.py", "return None", "")])


@pytest.mark.parametrize("trial", trials.SCRIPTS)
def test_a_trial_keeps_every_promise(trial: regressions.Script) -> None:
    result = run_plan(regressions.CALM, trial)

    assert not result.broken, "\n".join((result.broken, *result.lines[-60:]))


def test_a_survivor_makes_the_script_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "    is_ours = reply.mark_seq > 0 and own_hash_at_mark == reply.mark_hash"
    idle = Mutation("idle", (Edit("sync/exchange.py", text, text),))
    monkeypatch.setattr(mutate, "MUTATIONS", (idle,))
    monkeypatch.setattr(mutate, "run_child", lambda name, *_: mutate.Found(name, "", "", 1, 0.0))

    assert mutate.main(["--only", "idle"]) == 1


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_every_mutation_is_caught_and_the_product_as_it_is_keeps_its_promises() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.mutate"],
        cwd=mutate.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
