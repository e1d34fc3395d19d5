"""What answers before any page of ours does: to octets that are no HTTP, without a banner."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from server.api.middleware import MACHINE_HEADERS, PROBLEM, TITLES
from sync.errors import ProblemDetails

LOG = logging.getLogger(__name__)


class _Connection(web.RequestHandler):
    """One connection; aiohttp's own would quote what was sent, to the sender and to the log."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 -- it quotes what was sent
    ) -> web.StreamResponse:
        """Answer a short problem and end the connection.

        Raises:
            ConnectionError: Part of an answer is out already.
        """
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            LOG.error("unforeseen", exc_info=exc)
        else:
            LOG.info("no request", extra={"status": status, "error": type(exc).__name__})
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer was sent before the fault")
        told = ProblemDetails(
            title=TITLES.get(status, TITLES[500]),
            status=status,
            code=f"{status}.25",
            detail="see docs/protocol.md",
        )
        # aiohttp names itself unless the header is there, and no signal passes by here.
        headers = {**MACHINE_HEADERS, "Server": ""}
        response = web.Response(
            body=msgspec.json.encode(told), status=status, content_type=PROBLEM, headers=headers
        )
        response.force_close()
        return response


class _Server(web.Server):
    """Makes a `_Connection` of each connection."""

    def __init__(self, server: web.Server, arguments: dict[str, Any]) -> None:
        super().__init__(server.request_handler, request_factory=server.request_factory)
        self._arguments = arguments

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._arguments)


class Listener(web.AppRunner):
    """Runs the centre's application; arguments as `web.AppRunner`, those of a connection too."""

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self._kwargs)
