"""What a stage is put together from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.carry import Carry
from kiosk.devices.hung import Devices
from kiosk.drafts import Drafts
from kiosk.effects import Effects
from kiosk.entry.reader import HandReader
from kiosk.opening import Keeper
from kiosk.resume import Trail
from kiosk.settings import Settings
from kiosk.speech import LiveVoice, Voices
from sync.agent import Agent
from sync.carrying import Carrier
from sync.clock import Clock, Entropy
from sync.database import Database
from sync.device import KioskIdentity
from voice_prompts.wording import Wording


@dataclass(frozen=True)
class Parts:
    """What a stage is put together from; made in `kiosk.main` or by a test."""

    settings: Settings
    database: Database
    identity: KioskIdentity
    #: Of the device's key, as envelopes bear it.
    kiosk_id: bytes
    agent: Agent
    effects: Effects
    drafts: Drafts
    live: LiveVoice
    trail: Trail
    carry: Carry
    library: Voices
    wordings: Mapping[str, Wording]
    clock: Clock
    entropy: Entropy
    keeper: Keeper
    devices: Devices
    #: Reads names written by finger.
    hand: HandReader = field(default_factory=HandReader)
    #: Carriers of the identities that this kiosk had.
    formers: tuple[Agent, ...] = ()
    #: The card was enrolled on another board: nothing is taken before it is enrolled anew.
    is_elsewhere: bool = False
    #: Work on sticks, for the present identity and those before it.
    carriers: tuple[Carrier, ...] = ()
