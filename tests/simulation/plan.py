"""Which misfortunes a seed brings: a random subset of all, so that rare pairs do meet (swarm)."""

from random import Random

import msgspec

#: On the way between kiosk and centre.
LINK_FAULTS = (
    "request_lost",
    "reply_lost",
    "request_delayed",
    "request_twice",
    "request_cut",
    "reply_cut",
    "request_flipped",
    "reply_flipped",
    "portal",
    "cached_reply",
    "unavailable",
    "stall",
)
#: Of machines and their disks.
MACHINE_FAULTS = (
    "kiosk_kill",
    "kiosk_power_cut",
    "kiosk_cut_in_write",
    "centre_kill",
    "centre_cut_in_write",
    "vault_kill",
    "pipeline_kill",
    "disk_full",
    "disk_readonly",
    "disk_error",
    "clock_jump",
    "clock_still",
    "clock_1970",
    "centre_clock",
    "outage",
)
#: Of people, history and malice.
HISTORY_FAULTS = (
    "clone",
    "old_image",
    "centre_restored",
    "second_centre",
    "sealing_key",
    "certificate",
    "revoked",
    "publish",
    "old_manifest",
    "poison",
    "unknown_catalogue",
    "foreign_body",
    "stray_chunks",
    "replayed_request",
    "courier",
    "tampered_courier",
    "stick",
    "double_tap",
)
FAULTS = LINK_FAULTS + MACHINE_FAULTS + HISTORY_FAULTS
#: What says nothing without another.
NEEDED = {
    "tampered_courier": "courier",
    "second_centre": "centre_restored",
    "old_manifest": "publish",
}


class Plan(msgspec.Struct, frozen=True):
    """What one seed decides before anything runs."""

    seed: int
    kiosks: int
    #: Visits of residents in all.
    visits: int
    #: How long misfortune lasts, seconds.
    span_s: float
    faults: frozenset[str]
    #: How many requests out of a hundred meet a fault of the link.
    link_percent: int

    def has(self, fault: str) -> bool:
        """Answer whether this run knows the fault."""
        return fault in self.faults


def drawn(seed: int) -> Plan:
    """Draw a run: some runs know few faults, some nearly all, a few none."""
    random = Random(f"{seed}/plan")
    share = random.choice((0.0, 0.1, 0.2, 0.35, 0.5, 0.8))
    faults = {fault for fault in FAULTS if random.random() < share}
    faults |= {needed for fault, needed in NEEDED.items() if fault in faults}
    return Plan(
        seed=seed,
        kiosks=random.randint(2, 4),
        visits=random.randint(8, 30),
        span_s=random.choice((6, 12, 24, 48)) * 3600.0,
        faults=frozenset(faults),
        link_percent=random.choice((5, 20, 50)),
    )
