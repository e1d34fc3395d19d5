"""An event loop whose time is made up: waiting takes none, and one seed decides every order."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from heapq import heappop, heappush
from random import Random
from typing import Any

#: Turns of the loop without any time passing, after which nothing will ever happen again.
TURNS_MAX = 200_000
#: Timers that lie so close together are of one moment.
SAME_S = 1e-6


class Deadlock(Exception):
    """Nothing is left to wait for, yet the run has not ended."""


class Livelock(Exception):
    """The loop turns for ever within one moment: somebody retries without waiting."""


class Process:
    """What a kill ends at once: its tasks stop, and what it gave to its threads never comes."""

    def __init__(self, name: str, random: Random) -> None:
        self.name = name
        self.is_alive = True
        #: Called with the error when a disk call killed it (a power cut in mid-write).
        self.on_cut: Callable[[BaseException], None] = lambda _: None
        self.random = random
        #: How long its disk takes for one job, seconds: uniform up to here.
        self.job_s = 0.02
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Start a task that belongs to this process, as all that it starts itself."""
        token = PROCESS.set(self)
        try:
            task = asyncio.get_running_loop().create_task(work, name=f"{self.name}/{name}")
        finally:
            PROCESS.reset(token)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def kill(self) -> None:
        """End it; nothing of it runs on but the unwinding of Python, which reaches no disk."""
        self.is_alive = False
        for task in sorted(self._tasks, key=lambda task: task.get_name()):
            task.cancel()


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what production asks for in its order; when all wait, it is the next timer's time.

    A turn is what `BaseEventLoop` calls so, without its waiting for sockets and other threads,
    which here are none. Timers of one moment run in the order of their making.

    Runs what production gives to threads in place, one job after the other, with a delay.

    A kill falls before a job, or between the job and its caller's learning of it: with a real
    thread these are the moments at which a commit is on the disk and nobody was told.

    Args:
        cuts: Errors of the simulated disk that end the process that met them.
    """

    def __init__(self, cuts: tuple[type[BaseException], ...] = ()) -> None:
        super().__init__()
        self._cuts = cuts
        self._free_at: dict[int, float] = {}
        self._now_s = 0.0
        self._turns = 0
        self._made = itertools.count()
        # As the base class has them.
        self._ready: deque[asyncio.Handle] = deque()
        self._stopping = False
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []

    def time(self) -> float:
        """Answer the virtual time in seconds since the run began."""
        return self._now_s

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call in the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call after a while, seconds."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at a time of this loop, seconds."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._made), timer))
        return timer

    def _tell_failure(self, handle: asyncio.Handle, error: BaseException) -> None:
        about = {"message": "a callback failed", "exception": error, "handle": handle}
        self.call_exception_handler(about)

    def _go_on(self) -> None:
        """Let it be the time of the next timer."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if not timers:
            raise Deadlock("everybody waits, and nobody is left to wake them")
        if timers[0][0] > self._now_s:
            self._now_s = timers[0][0]
            self._turns = 0

    def _run_once(self) -> None:
        """Run one turn: whatever is ready when it begins."""
        ready, timers = self._ready, self._timers
        if not (ready or self._stopping):
            self._go_on()
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise Livelock("somebody tries again and again without waiting")
        end_s = self._now_s + SAME_S
        while timers and timers[0][0] <= end_s:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                # Nearly all that its `_run` does, without the call.
                try:
                    handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self._tell_failure(handle, error)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Run a job in its turn, after a delay, unless its process was killed meanwhile."""
        future: asyncio.Future[Any] = self.create_future()
        process = PROCESS.get()
        spread_s = process.random.random() * process.job_s if process else 0.0
        start_s = max(self.time(), self._free_at.get(id(executor), 0.0)) + spread_s
        self._free_at[id(executor)] = start_s
        self.call_at(start_s, self._work, process, future, lambda: func(*args), spread_s)
        return future

    def _work(
        self,
        process: Process | None,
        future: "asyncio.Future[Any]",
        job: Callable[[], Any],
        spread_s: float,
    ) -> None:
        if process is not None and not process.is_alive:
            return
        outcome: Any = None
        error: BaseException | None = None
        try:
            outcome = job()
        except self._cuts as cut:
            if process is not None:
                process.on_cut(cut)
            return
        except Exception as fault:
            error = fault
        self.call_later(spread_s / 2, _tell, process, future, outcome, error)


def _tell(
    process: Process | None,
    future: "asyncio.Future[Any]",
    outcome: Any,
    error: BaseException | None,
) -> None:
    if future.done() or (process is not None and not process.is_alive):
        return
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)
