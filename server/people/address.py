"""Whose address a request came from, when a proxy may stand in between."""

import ipaddress
from collections.abc import Collection

from aiohttp import web

from server.keys import SETTINGS


def client_address(request: web.Request) -> str:
    """Answer the network address of who asks: the peer's, or what a trusted proxy says of it."""
    settings = request.app[SETTINGS]
    forwarded = request.headers.get("X-Forwarded-For", "")
    return told_address(request.remote or "", forwarded, settings.trusted_proxies)


def told_address(peer: str, forwarded: str, trusted: Collection[str]) -> str:
    """Answer the nearest address that is not one of our proxies.

    What stands further left in the header was written by strangers and is not believed.

    >>> told_address("10.0.0.1", "203.0.113.9, 198.51.100.7", {"10.0.0.1"})
    '198.51.100.7'
    """
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    address = peer
    while address in trusted and chain:
        address = chain.pop()
    return address


def network(address: str) -> str:
    """Answer the network that shares a limit: /24 of IPv4, /56 of IPv6.

    >>> network("203.0.113.9")
    '203.0.113.0/24'
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    prefix = 24 if parsed.version == 4 else 56
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
