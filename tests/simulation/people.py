"""Who comes and goes: residents, phones that carry slips, clerks, and the operator."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from server.catalogue.publish import publish
from server.store import cases, catalogues, inbox, reviews
from server.store.rows import Action, CaseRow, DeadLetter, Decision
from sync import outbox
from sync.errors import BianminError
from sync.transports import LinkDown
from tests.simulation import scenery
from tests.simulation.centre import COURIER, Centre
from tests.simulation.disk import Crashed
from tests.simulation.history import Press
from tests.simulation.kiosk import Kiosk, Poison, Visit
from tests.simulation.scenery import Matter

if TYPE_CHECKING:
    from tests.simulation.world import World

HOUR_S = 3600.0
CLERK, AUDITOR = "王经办", "审计员"


class People:
    """Everybody of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.luck("people")
        self._phones: set[asyncio.Task[Any]] = set()

    def begin(self) -> list["asyncio.Task[Any]"]:
        """Let them all come."""
        jobs = (self._residents(), self._clerks(), self._operator())
        return [asyncio.ensure_future(job) for job in jobs]

    # --- residents

    async def _residents(self) -> None:
        world, random = self._world, self._random
        moments = sorted(
            random.random() * world.plan.span_s * 0.95 for _ in range(world.plan.visits)
        )
        for moment in moments:
            await asyncio.sleep(max(0.0, moment - world.loop.time()))
            kiosks = [kiosk for kiosk in world.kiosks if kiosk.is_on]
            if kiosks:
                kiosk = random.choice(kiosks)
                kiosk.arrive(self._visit(kiosk))

    def _visit(self, kiosk: Kiosk) -> Visit:
        world, random = self._world, self._random
        matter = self._follow_up(kiosk) or self._new(random)
        matter, marker = scenery.marked(matter, random)
        number = matter.transaction.answers.get("id_number", "")
        return Visit(
            matter=matter,
            secrets=tuple(word.encode() for word in (marker, number) if word),
            poison=self._poison(),
            taps=2 if world.plan.has("double_tap") and random.random() < 0.4 else 1,
        )

    def _poison(self) -> Poison:
        plan, draw = self._world.plan, self._random.random()
        if plan.has("poison") and draw < 0.1:
            return "body"
        return "edition" if plan.has("unknown_catalogue") and draw > 0.9 else ""

    def _new(self, random: Random) -> Matter:
        found = random.choice(scenery.matters())
        return Matter(msgspec.structs.replace(found.transaction, corrects=""), found.attachments)

    def _follow_up(self, kiosk: Kiosk) -> Matter | None:
        """Answer a correction that was asked for here, or a rating of what was done."""
        world, random = self._world, self._random
        if random.random() < 0.5 or kiosk.database is None or kiosk.is_doubted:
            # With a twin, two matters may bear one number; then nobody can tell which is meant.
            return None
        own = [
            press for press in world.history.receipted() if press.kiosk_id == kiosk.keys.kiosk_id
        ]
        for press in own[-6:]:
            try:
                notices = outbox.notices_of(kiosk.database.conn, press.case_no)
            except (sqlite3.Error, Crashed):
                return None
            kind = notices[-1].kind if notices else ""
            if kind == "correction":
                return self._like(press, corrects=press.case_no)
            if kind in ("completed", "refused") and random.random() < 0.5:
                return self._rating(press)
        return None

    def _like(self, press: Press, *, corrects: str) -> Matter:
        found = next(
            matter
            for matter in scenery.matters()
            if matter.transaction.service == press.transaction.service
        )
        transaction = msgspec.structs.replace(found.transaction, corrects=corrects)
        return Matter(transaction, found.attachments)

    def _rating(self, press: Press) -> Matter:
        found = next(m for m in scenery.matters() if m.transaction.service == "rating")
        answers = {**found.transaction.answers, "case_no": press.case_no}
        return Matter(
            msgspec.structs.replace(found.transaction, answers=answers), found.attachments
        )

    # --- phones

    def takes_slip(self, url: str) -> None:
        """Let a resident photograph the slip, and somebody deliver it: never, late, or thrice."""
        world, random = self._world, self._random
        if not url or not world.plan.has("courier") or random.random() < 0.5:
            return
        digits = url.rpartition("/")[2]
        for _ in range(random.randint(0, 3)):
            task = asyncio.ensure_future(self._phone(digits, random.random() * 30 * HOUR_S))
            self._phones.add(task)
            task.add_done_callback(self._phones.discard)

    async def _phone(self, digits: str, after_s: float) -> None:
        world, random = self._world, self._random
        await asyncio.sleep(after_s)
        if world.is_healed:
            return
        if world.plan.has("tampered_courier") and random.random() < 0.4:
            place = random.randrange(len(digits) // 4, len(digits))
            digits = random.choice(
                (
                    digits[:place],
                    digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :],
                    digits + "0",
                )
            )
        try:
            answer = await world.network.reach("GET", COURIER + digits, b"")
        except LinkDown:
            world.trace.note("a phone", "reaches nobody")
            return
        world.trace.note("a phone", f"delivers {len(digits)} digits: {answer.status}")

    # --- the centre's staff

    async def done(self, centre: Centre, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something inside the centre's process; None when it refuses or dies over it."""
        if centre.process is None or not centre.process.is_alive:
            work.close()
            return None
        task = centre.process.spawn(work, "staff")
        await asyncio.wait({task})
        if task.cancelled():
            return None
        error = task.exception()
        is_excused = isinstance(error, sqlite3.Error | OSError) and centre.is_disk_sick()
        if isinstance(error, Crashed):
            centre._cut(error)
        elif error is not None and not (isinstance(error, BianminError) or is_excused):
            self._world.on_defect("the desk", error)
        return None if error is not None else task.result()

    async def _clerks(self) -> None:
        while True:
            await asyncio.sleep(HOUR_S * (1 + 4 * self._random.random()))
            await self.done(self._world.centre, self._desk(self._world.centre))

    async def _desk(self, centre: Centre) -> None:
        random = self._random
        queue: list[CaseRow] = await centre.store.read(cases.queue)
        for case in random.sample(queue, min(3, len(queue))):
            if random.random() < 0.5:
                await self.look(centre, case, "核对材料", CLERK, "clerk")
            await self._decide(centre, case)

    async def look(self, centre: Centre, case: CaseRow, purpose: str, actor: str, role: str) -> Any:
        """Open a case's answers with a purpose; None when the vault does not."""
        try:
            published = await centre.store.read(centre.shelf.fetch, case.catalogue)
            assert published is not None
            service = published.catalogue.service(case.service)
            fields = [question.id for question in service.questions]
            return await centre.client.open(
                case.case_no, actor=actor, role=role, purpose=purpose, fields=fields
            )
        except BianminError:
            return None

    async def _decide(self, centre: Centre, case: CaseRow) -> None:
        random, world = self._random, self._world
        actions: tuple[Action, ...] = ("accept", "correct", "refuse", "complete")
        action = random.choice(actions)
        words = "".join(random.choices(scenery.SIGNS, k=16))
        world.history.words.append(words.encode())
        decision = Decision(
            action=action,
            words=words,
            reason_code="other" if action in ("refuse", "correct") else "",
        )
        try:
            await centre.store.write(
                cases.decide, case.case_no, decision, actor=CLERK, now_ms=centre.clock.now_ms()
            )
        except BianminError as error:
            world.trace.note("a clerk", f"cannot {action} {case.case_no}: {error.code}")
            return
        world.trace.note("a clerk", f"{action} {case.case_no}")

    async def _operator(self) -> None:
        while True:
            await asyncio.sleep(HOUR_S * (2 + 10 * self._random.random()))
            await self.done(self._world.centre, self.replay(self._world.centre, share=0.5))

    async def replay(self, centre: Centre, share: float = 1.0) -> int:
        """Give dead letters to the pipeline again; quarantined ones are looked at by a person."""
        letters = await centre.store.read(cases.dead_letters)
        chosen = [letter for letter in letters if self._random.random() < share]
        for letter in chosen:
            if letter.reason == "quarantined":
                await self._review(centre, letter)
            else:
                await centre.store.write(cases.replay, letter.envelope_id)
        if chosen:
            self._world.trace.note("operator", f"looks at {len(chosen)} letters")
            centre.pipeline.poke()
        return len(chosen)

    async def _review(self, centre: Centre, letter: DeadLetter) -> None:
        (item,) = await centre.store.read(inbox.by_ids, [letter.envelope_id])
        verdict: Literal["accepted", "refused"] = "refused"
        if self._random.random() < 0.7:
            verdict = "accepted"
            self._world.record.reviewed.add(bytes(item.raw))
        else:
            # After a restore the same envelope may come before a person once more.
            self._world.record.reviewed.discard(bytes(item.raw))
        await centre.store.write(
            reviews.decide,
            item.kiosk_id,
            [letter.envelope_id],
            verdict,
            reason="电话核实",
            actor=AUDITOR,
            now_ms=centre.clock.now_ms(),
        )

    async def publish(self, centre: Centre, number: int) -> None:
        """Put an edition in force, and keep what was published."""
        world = self._world
        edition = scenery.editions()[number]
        outcome = await centre.store.write(publish, centre.keys, edition, centre.clock.now_ms())
        if not outcome.is_new:
            return
        row = await centre.store.read(catalogues.of_version, outcome.version)
        assert row is not None
        names = (row.catalogue_sha256, row.dictionary_sha256, row.villages_sha256)
        blobs: dict[str, bytes | None] = {
            name: await centre.store.read(catalogues.blob, name)
            for name in (*names, row.reasons_sha256)
        }
        world.publications.append((row, {name: raw for name, raw in blobs.items() if raw}))
        world.trace.note("operator", f"publishes version {outcome.version}")
        centre.pipeline.poke()

    async def clear_up(self) -> None:
        """After everything has healed: replay what is dead once, so that nothing waits in vain."""
        world = self._world
        for task in list(self._phones):
            task.cancel()
        if await self.done(world.centre, self.replay(world.centre)):
            await asyncio.sleep(2 * HOUR_S)
            for kiosk in world.kiosks:
                kiosk.poke()
            await asyncio.sleep(HOUR_S)
