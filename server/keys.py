"""Keys under which the parts of the running centre are found in the aiohttp application."""

from aiohttp import web

from server.catalogue.shelf import Shelf
from server.identity import CentreKeys
from server.live import Broadcast
from server.pipeline import Pipeline
from server.reception import Reception
from server.settings import Settings
from server.store.sqlite import Store
from server.vault.client import VaultClient
from sync.clock import Clock, Entropy

STORE: web.AppKey[Store] = web.AppKey("store", Store)
VAULT: web.AppKey[VaultClient] = web.AppKey("vault", VaultClient)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
BROADCAST: web.AppKey[Broadcast] = web.AppKey("broadcast", Broadcast)
#: Published catalogues: `.current`, `.version(n)`.
CATALOGUES: web.AppKey[Shelf] = web.AppKey("catalogues", Shelf)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
ENTROPY: web.AppKey[Entropy] = web.AppKey("entropy", Entropy)
#: What the centre signs with.
KEYS: web.AppKey[CentreKeys] = web.AppKey("keys", CentreKeys)
#: Takes frames in, whatever carried them.
RECEPTION: web.AppKey[Reception] = web.AppKey("reception", Reception)
#: The worker; `.poke()` after a replay.
PIPELINE: web.AppKey[Pipeline] = web.AppKey("pipeline", Pipeline)
