"""Names of services, villages and departments as the pages show them."""

from server.catalogue.shelf import Published
from server.dashboard.words import Words


def service_name(service_id: str, published: Published | None, words: Words) -> str:
    """Answer a service's everyday name; its id when the catalogue does not have it."""
    service = published.service(service_id) if published else None
    return words.of(service.plain_name) if service else service_id


def village_name(code: str, published: Published | None, words: Words) -> str:
    """Answer a village's name, "" when no village was given, its code when it is not listed."""
    if not code:
        return ""
    return words.of(published.village_name(code)) if published else code


def departments(published: Published | None) -> tuple[str, ...]:
    """Answer every department that decides a service, in catalogue order, once."""
    if published is None:
        return ()
    found = (service.department.split("、") for service in published.catalogue.services)
    return tuple(dict.fromkeys(name for names in found for name in names))
