"""Break the product on purpose, one check at a time, and see that the simulation notices.

    make mutate                      all of them, in two processes
    deploy/mutate --only NAME …      some of them; `--list` names all

Nothing is copied or written: a child process changes the source of the mutated modules between
reading and compiling. It lives through the scenarios and seeds that the mutation names, then all
scenarios, then seeds from 1, and stops at the first broken promise. Afterwards the unchanged
product lives through all that found something, and must keep every promise there.
"""

import argparse
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from tests.simulation.mutations import MUTATIONS, Edit, Mutation

ROOT = Path(__file__).resolve().parents[2]
#: One mutation that finds nothing takes so long at most, with seeds for one core.
CHILD_S = 300.0
SEEDS = 40


class Stale(Exception):
    """A mutation no longer applies: its text is not there, or more than once."""


class Found(NamedTuple):
    """How a child ended."""

    name: str
    #: "" when every promise was kept, else what was broken.
    broken: str
    #: Scenario or seed that broke it.
    at: str
    #: How many scenarios and seeds were lived through.
    lived: int
    seconds: float
    #: What made the child fail by itself; then nothing is known.
    error: str = ""


def module_of(file: str) -> str:
    """Answer the dotted name of a product file."""
    return file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def edited(source: str, edits: Iterable[Edit]) -> str:
    """Answer a module's source after the edits.

    Raises:
        Stale: An old text is not there exactly once.
    """
    for edit in edits:
        if (count := source.count(edit.old)) != 1:
            raise Stale(f"{edit.file} holds {count} times, not once: {edit.old!r}")
        source = source.replace(edit.old, edit.new)
    return source


def sources(mutation: Mutation) -> dict[str, str]:
    """Answer the changed source by module name.

    Raises:
        Stale: The mutation no longer applies.
    """
    files = dict.fromkeys(edit.file for edit in mutation.edits)
    return {
        module_of(file): edited(
            (ROOT / file).read_text("utf-8"), [e for e in mutation.edits if e.file == file]
        )
        for file in files
    }


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles another text than the file holds."""

    text = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.get_filename(fullname), "exec", dont_inherit=True)


class Mutating(MetaPathFinder):
    """Loads changed sources in the place of files; install it before anything of ours is loaded."""

    def __init__(self, changed: dict[str, str]) -> None:
        self._changed = changed
        self.loaded: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See `MetaPathFinder.find_spec`."""
        if fullname not in self._changed:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            raise ImportError(fullname)
        spec.loader = loader = _Loader(fullname, spec.origin)
        loader.text = self._changed[fullname]
        self.loaded.add(fullname)
        return spec


# --- in the child


def live_through(name: str, first: Sequence[str], seeds: int) -> Found:
    """Live through scenarios and seeds with a mutation ("" = none) until a promise breaks.

    Args:
        name: The mutation.
        first: What to try first: names of scenarios, numbers of seeds.
        seeds: Afterwards all scenarios and so many seeds; -1 = nothing but `first`.
    """
    started_s = time.monotonic()
    changed = sources(_named(name)) if name else {}
    finder = Mutating(changed)
    sys.meta_path.insert(0, finder)
    from tests.simulation import regressions, trials, world

    if missing := changed.keys() - finder.loaded:
        raise Stale(f"the simulation never loads {', '.join(sorted(missing))}")
    scripts = {script.__name__: script for script in (*regressions.SCRIPTS, *trials.SCRIPTS)}
    rest = [*scripts, *map(str, range(1, seeds + 1))] if seeds >= 0 else []
    lived = 0
    for at in dict.fromkeys([*first, *rest]):
        lived += 1
        if at in scripts:
            result = world.run_plan(regressions.CALM, scripts[at])
        else:
            result = world.run_seed(int(at))
        if result.broken:
            return Found(name, result.broken, at, lived, time.monotonic() - started_s)
    return Found(name, "", "", lived, time.monotonic() - started_s)


def _named(name: str) -> Mutation:
    return next(mutation for mutation in MUTATIONS if mutation.name == name)


# --- in the parent


def run_child(name: str, first: Sequence[str], seeds: int) -> Found:
    """Live through it in a process of its own."""
    command = [sys.executable, "-m", "tests.simulation.mutate", "--child", name]
    command += ["--seeds", str(seeds), "--first", *first]
    started_s = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=CHILD_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Found(name, "", "", 0, CHILD_S, f"took longer than {CHILD_S:.0f} s")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return Found(name, "", "", 0, time.monotonic() - started_s, last)
    return Found(*json.loads(done.stdout.splitlines()[-1]))


def run_all(
    mutations: Sequence[Mutation], *, seeds: int = SEEDS, jobs: int = 2
) -> tuple[list[Found], list[Found]]:
    """Try each mutation, then the unchanged product wherever one was caught.

    Returns:
        What became of each mutation, and of the unchanged product in `jobs` parts.
    """
    found: list[Found] = []
    with ThreadPoolExecutor(jobs) as pool:
        tried = [pool.submit(run_child, m.name, m.first, seeds) for m in mutations]
        for future in as_completed(tried):
            found.append(future.result())
            _say(_line(found[-1]))
        where = list(dict.fromkeys(item.at for item in found if item.at))
        parts = [where[part::jobs] for part in range(jobs)]
        sound = list(pool.map(lambda part: run_child("", part, -1), filter(None, parts)))
    return found, sound


def _line(found: Found) -> str:
    if found.error:
        word = f"FAILED: {found.error}"
    elif found.broken:
        word = f"{found.at:<34} {found.broken}"
    else:
        word = f"SURVIVES {found.lived} scenarios and seeds"
    return f"{found.name:<44} {found.seconds:5.1f} s  {word}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; answer 0 when all are caught and the unchanged product keeps its promises."""
    parser = argparse.ArgumentParser(prog="deploy/mutate")
    parser.add_argument("--only", nargs="+", default=[], help="names of mutations")
    parser.add_argument("--list", action="store_true", help="name them and do nothing")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="tried at most for each")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--first", nargs="*", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child is not None:
        _say(json.dumps(live_through(chosen.child, chosen.first, chosen.seeds)))
        return 0
    if chosen.list:
        _say("\n".join(f"{mutation.name}: {mutation.file_names}" for mutation in MUTATIONS))
        return 0
    mutations = [m for m in MUTATIONS if not chosen.only or m.name in chosen.only]
    started_s = time.monotonic()
    found, sound = run_all(mutations, seeds=chosen.seeds, jobs=chosen.jobs)
    bad = [item for item in found if not item.broken]
    unsound = [item for item in sound if item.broken or item.error]
    for item in unsound:
        _say(f"the unchanged product breaks at {item.at or '?'}: {item.broken or item.error}")
    _say(
        f"{len(found)} mutations in {time.monotonic() - started_s:.0f} s, {len(bad)} not caught"
        f"{': ' + ', '.join(item.name for item in bad) if bad else ''}"
    )
    return 1 if bad or unsound or not found else 0


if __name__ == "__main__":
    sys.exit(main())
