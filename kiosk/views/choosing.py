"""Home, the services of a category, and what to have at hand. Pure."""

from msgspec.structs import replace

from kiosk.leaving import is_untouched
from kiosk.phrases import promise_key, said
from kiosk.places import AtHome, InCategory
from kiosk.screens import Screen, Tile
from kiosk.views.frame import Frame, Option, listing, repeats, worded
from kiosk.world import service_of
from sync.forms import Category, Material, Service
from sync.limits import HELPER_IDLE_S
from voice_prompts.compose import Spoken


def home(frame: Frame, place: AtHome) -> Screen:
    """Show the categories, with the way to what was handed in before."""
    is_first = place.page == 1
    key = "home.title" if is_first else "category.title"
    options = [_category(frame, category) for category in frame.world.catalogue.categories]
    shown = listing(frame, "home", key, options, place.page, more_key="home.more")
    foot = _foot(frame)
    return replace(
        shown,
        tiles=(*shown.tiles, *foot),
        can_back=not is_first,
        can_home=not is_first,
        say=(*shown.say, *frame.say("home.matters", foot[0].dom_id)),
        # Nobody said anything yet: such a screen may stay for ever.
        timeout_s=0 if is_untouched(frame.visit) else _idle_s(frame),
    )


def _idle_s(frame: Frame) -> int:
    # A helper who fetches the next person comes back within minutes.
    is_free = frame.visit.helper is not None and not frame.visit.known
    return HELPER_IDLE_S if is_free else frame.world.idle_s


def _foot(frame: Frame) -> tuple[Tile, ...]:
    return (
        Tile(
            action="matters",
            value="",
            label=frame.text("home.matters"),
            icon="search",
            style="quiet",
            dom_id="foot-1",
        ),
        Tile(
            action="other",
            value="",
            label=frame.text("home.other"),
            icon="mouth",
            style="quiet",
            dom_id="foot-2",
        ),
    )


def _category(frame: Frame, category: Category) -> Option:
    name = frame.words(category.name)
    return Option(action="open", value=category.id, label=name, voice=name, icon=category.icon)


def category(frame: Frame, place: InCategory) -> Screen:
    """Show the services of one category."""
    services = frame.world.catalogue.in_category(place.category)
    options = [_service(frame, service) for service in services]
    return listing(frame, "category", "category.title", options, place.page)


#: Services for what no other service is for, as far as the catalogue has them.
_FOR_ALL_ELSE = ("helper_request", "suggestion")


def other(frame: Frame) -> Screen:
    """Show who helps with what is not offered: a person, a letter, the hotline."""
    found = [frame.world.catalogue.find(service_id) for service_id in _FOR_ALL_ELSE]
    options = [_service(frame, service) for service in found if service is not None]
    options.append(worded(frame, "help", "other.help", "hand", style="helper"))
    shown = listing(frame, "category", "other.title", options, page=1)
    return replace(
        shown,
        lines=(frame.text("help.hotline", hotline=frame.world.hotline),),
        say=(*shown.say, *frame.say_hotline("help.hotline")),
    )


def _service(frame: Frame, service: Service) -> Option:
    name = frame.words(service.plain_name)
    icon = next((c.icon for c in frame.world.catalogue.categories if c.id == service.category), "")
    return Option(
        action="service",
        value=service.id,
        label=name,
        voice=name,
        icon=_SERVICE_ICONS.get(service.id, icon),
        note=promised(frame, service),
    )


#: Pictures of the shipped services; another service shows its category's.
_SERVICE_ICONS: dict[str, str] = {
    "pension_auth": "elder",
    "medical_registration": "hospital",
    "senior_allowance": "candle",
    "disability_subsidy": "wheelchair",
    "social_assistance": "rice",
    "farmland_subsidy": "field",
    "farm_machine_subsidy": "tractor",
    "disaster_report": "rain",
    "homestead": "house",
    "house_repair": "crack",
    "newborn": "baby",
    "employment": "hammer",
    "proof_letter": "paper",
    "suggestion": "mouth",
    "appointment": "calendar",
    "progress_query": "search",
    "helper_request": "helper",
    "rating": "face4",
}


def promised(frame: Frame, service: Service) -> str:
    """Write within how many working days the centre answers; "" when there is no promise."""
    days = service.promised_working_days
    return frame.text(promise_key(days), days=str(days)) if days else ""


def materials(frame: Frame) -> Screen:
    """Tell once, and before anything is asked, what to have at hand (一次性告知)."""
    draft = frame.visit.draft
    assert draft is not None  # noqa: S101 -- only a begun form has this place
    service = service_of(draft, frame.world)
    lines = [_material(frame, material) for material in service.materials]
    days, count = promised(frame, service), service.promised_working_days
    title = frame.say("materials.title")
    said_days = frame.say(promise_key(count), days=Spoken("number", str(count))) if days else ()
    said_materials = tuple(
        replace(utterance, highlight=f"line-{index}")
        for index, line in enumerate(lines)
        for utterance in said(line)
    )
    return Screen(
        kind="materials",
        language=frame.language,
        title=frame.text("materials.title"),
        lines=(*lines, *([days] if days else [])),
        service_name=frame.words(service.plain_name),
        can_back=True,
        next_action="continue",
        next_label=frame.text("materials.ready"),
        say=(*title, *said_materials, *said_days, *frame.say("materials.ready", "next")),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=frame.world.idle_s,
    )


def _material(frame: Frame, material: Material) -> str:
    name = frame.words(material.name)
    is_optional = not material.required or bool(material.relevant)
    return frame.text("materials.optional", name=name) if is_optional else name
