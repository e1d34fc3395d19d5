"""What the handlers find in the app."""

from aiohttp import web

from kiosk.lifecycle import Stage
from kiosk.parts import Parts

STAGE: web.AppKey[Stage] = web.AppKey("stage", Stage)
PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
