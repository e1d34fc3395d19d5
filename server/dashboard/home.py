"""The public page of services, the way to work for staff, and static files."""

from pathlib import Path

from aiohttp import web

from server.dashboard.pages import HERE, START, catalogue_of, page, see
from server.people.guard import SESSION
from server.people.permission import everyone

_STATIC = HERE / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: Case kinds that are no matter of their own and promise nothing.
_NOT_LISTED = frozenset({"query", "rating"})


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of these pages."""
    return [
        web.get("/", home),
        web.get("/services", services_page),
        web.get("/static/{name:[a-z]+[.](?:css|js|svg)}", static_file),
        web.get("/favicon.ico", favicon),
        web.get("/robots.txt", robots),
    ]


@everyone
async def home(request: web.Request) -> web.StreamResponse:
    """Send staff to their work; show everyone else what can be done in the village."""
    session = request.get(SESSION)
    if session is not None:
        return see(START[session.account.role])
    return await _services(request)


@everyone
async def services_page(request: web.Request) -> web.StreamResponse:
    """Show what can be done in the village, with the days that are promised."""
    return await _services(request)


@everyone
async def static_file(request: web.Request) -> web.StreamResponse:
    """Answer the style sheet, the script or the icon.

    Raises:
        web.HTTPNotFound: There is no such file.
    """
    name = request.match_info["name"]
    path = _STATIC / name
    if not path.is_file():
        raise web.HTTPNotFound
    return _file(path)


@everyone
async def favicon(_request: web.Request) -> web.StreamResponse:
    """Answer the icon for browsers that ask without being told."""
    return _file(_STATIC / "icon.svg")


@everyone
async def robots(_request: web.Request) -> web.StreamResponse:
    """Ask search engines to stay away: receipts' addresses must not be listed."""
    return web.Response(text="User-agent: *\nDisallow: /\n")


async def _services(request: web.Request) -> web.Response:
    published = await catalogue_of(request)
    groups = []
    if published is not None:
        catalogue = published.catalogue
        for category in catalogue.categories:
            listed = [
                service
                for service in catalogue.in_category(category.id)
                if service.case_kind not in _NOT_LISTED
            ]
            if listed:
                groups.append((category, listed))
    return page(request, "services.html", groups=groups)


def _file(path: Path) -> web.Response:
    # The address holds the content's hash, so that a year is safe.
    return web.Response(
        body=path.read_bytes(),
        content_type=_TYPES[path.suffix],
        charset="utf-8",
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'",
        },
    )
