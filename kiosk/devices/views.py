"""What screens may know of devices: plain values, without the devices. Pure."""

from typing import Literal

import msgspec

from kiosk.devices.escpos_status import PrinterState

#: States in which a slip can be begun.
ABLE: frozenset[str] = frozenset({"ok", "low"})

Job = Literal["", "printing", "whole", "half", "none"]
CardState = Literal["", "waiting", "reading", "failed", "read"]


class PrinterView(msgspec.Struct, frozen=True):
    """What a screen may know of the printer."""

    #: "" = this kiosk has none.
    state: PrinterState | Literal[""] = ""
    #: What became of this visit's last slip; "" = none was asked for.
    job: Job = ""
    #: It was asked for once more.
    is_again: bool = False

    @property
    def is_able(self) -> bool:
        """Whether a slip comes out, as far as is known."""
        return self.state in ABLE and self.job not in ("half", "none")

    @property
    def trouble(self) -> str:
        """Answer what keeps a slip from coming out: a state of the printer, or ""."""
        if not self.state or self.is_able:
            return ""
        return "fault" if self.state in ABLE else self.state

    @property
    def told(self) -> str:
        """Answer what the health report tells of it: "" = it is well, or there is none."""
        return "" if self.state == "ok" else self.state
