"""Publishing: every fault is named by its place, and the same content is no new version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server import identity
from server.catalogue import publish
from server.catalogue.publish import Sources, prepared, read_sources
from server.errors import CatalogueRefused
from server.store import catalogues
from sync.manifest import blob_name, decode_manifest
from sync.settings import SettingRefused
from sync.signing import Trust
from tests.unit.server.world import NOW_MS, World

SHIPPED = read_sources("12345")


def changed(edit: Callable[[dict[str, Any]], None]) -> Sources:
    catalogue = msgspec.json.decode(SHIPPED.catalogue)
    edit(catalogue)
    return msgspec.structs.replace(SHIPPED, catalogue=msgspec.json.encode(catalogue))


def service(catalogue: dict[str, Any], name: str = "helper_request") -> dict[str, Any]:
    return next(item for item in catalogue["services"] if item["id"] == name)


def question(catalogue: dict[str, Any], name: str, of: str = "helper_request") -> dict[str, Any]:
    return next(item for item in service(catalogue, of)["questions"] if item["id"] == name)


def refusal(sources: Sources) -> str:
    with pytest.raises(CatalogueRefused) as caught:
        prepared(sources)
    return str(caught.value)


def test_shipped_catalogue_has_no_fault() -> None:
    ready = prepared(SHIPPED)

    assert len(ready.catalogue.services) == 18


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda c: question(c, "phone").update(relevant="${nam} != ''"),
            "helper_request.phone: relevant names nam, which is no earlier question or calculation",
        ),
        (
            lambda c: question(c, "consent").update(relevant="${name} != ''"),
            "helper_request.consent: relevant names name, which is no earlier question or "
            "calculation",
        ),
        (
            lambda c: question(c, "name").update(constraint="regex(., "),
            "helper_request.name: constraint: ",
        ),
        (
            lambda c: question(c, "name").update(constraint="document('x') = 1"),
            "helper_request.name: constraint: ",
        ),
        (
            lambda c: question(c, "need").update(choices="wishes"),
            "helper_request.need: no list of choices is called wishes",
        ),
        (
            lambda c: question(c, "say").update(relevant="selected(${need}, 'fly')"),
            "helper_request.say: need has no choice 'fly'",
        ),
        (
            lambda c: question(c, "say").update(relevant="${when_free} = 'never'"),
            "helper_request.say: when_free has no choice 'never'",
        ),
        (
            lambda c: question(c, "name")["label"].pop("en"),
            "helper_request.name.label: no text in en",
        ),
        (
            lambda c: question(c, "phone").update(id="name"),
            "helper_request.name: 2 questions or calculations have this id",
        ),
        (
            lambda c: service(c).update(promised_working_days=9),
            "helper_request: more days are promised than the law allows",
        ),
        (
            lambda c: service(c).update(category="nowhere"),
            "helper_request: no category is called nowhere",
        ),
        (lambda c: service(c).update(department=" "), "helper_request: no department decides it"),
        (
            lambda c: service(c)["notices"].pop("refused"),
            "helper_request: outcomes and notices do not match",
        ),
        (
            lambda c: service(c)["check"]["text"].update(en="Dear ${nickname}"),
            "helper_request.check: the text names ${nickname}, which the form has not",
        ),
        (
            lambda c: service(c)["receipt"]["text"].update(en="{weather}"),
            "helper_request.receipt: the text names {weather}, which no system variable is",
        ),
        (
            lambda c: service(c)["choice_lists"]["need"].append(
                service(c)["choice_lists"]["need"][0]
            ),
            "helper_request.need.fill: 2 choices have this name",
        ),
        (
            lambda c: c["services"].append(service(c)),
            "helper_request: 2 services have this id",
        ),
        (
            lambda c: service(c, "senior_allowance")["calculates"][0].update(
                calculation="substr(${nobody}, 1)"
            ),
            "calculation names nobody",
        ),
        (
            lambda c: service(c, "homestead")["eligibility"][0].update(when="${moon} = 'full'"),
            "homestead.eligibility 1: when names moon",
        ),
        (
            lambda c: c["types"]["phone"].update(mask="glitter"),
            "types.phone: no mask is called glitter",
        ),
        (lambda c: c["types"]["phone"].update(validator="luck"), "no validator is called luck"),
        (lambda c: question(c, "name").update(surprise=1), "surprise"),
        (lambda c: question(c, "name").update(type="hologram"), "hologram"),
    ],
)
def test_fault_is_named_by_its_place(edit: Callable[[dict[str, Any]], None], words: str) -> None:
    assert words in refusal(changed(edit))


def test_all_faults_are_named_at_once() -> None:
    def edit(catalogue: dict[str, Any]) -> None:
        question(catalogue, "need").update(choices="wishes")
        question(catalogue, "name")["label"].pop("en")

    lines = refusal(changed(edit)).splitlines()

    assert {"helper_request.need", "helper_request.name.label"} <= {
        line.split(":")[0] for line in lines
    }


@pytest.mark.parametrize(
    ("villages", "words"),
    [
        (b"code,name\n", "columns"),
        (b"code,name_zh,name_en\n12,a,b\n", "villages.12: a code has 12 digits"),
        (
            b"code,name_zh,name_en\n522326104205,a,b\n522326104205,a,b\n",
            "villages.522326104205: listed 2 times",
        ),
        (b"code,name_zh,name_en\n", "1 to 500 rows, here 0"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_bad_village_list_is_refused(villages: bytes, words: str) -> None:
    assert words in refusal(msgspec.structs.replace(SHIPPED, villages=villages))


def test_reason_without_a_language_is_refused() -> None:
    reasons = msgspec.json.encode({"fix_phone": {"zh-CN": "打不通"}})

    assert refusal(msgspec.structs.replace(SHIPPED, reasons=reasons)) == (
        "reasons.fix_phone: no text in en"
    )


def test_file_that_is_no_json_is_refused() -> None:
    assert refusal(msgspec.structs.replace(SHIPPED, catalogue=b"not json")).startswith("catalogue:")


def test_same_content_is_no_new_version(world: World) -> None:
    ready = prepared(SHIPPED)

    outcomes = [world.write(publish.publish, world.keys, ready, NOW_MS + n) for n in range(2)]

    assert [(item.version, item.is_new) for item in outcomes] == [(1, True), (1, False)]


def test_white_space_is_no_new_version(world: World) -> None:
    world.publish()
    pretty = msgspec.json.format(SHIPPED.catalogue, indent=4)

    world.publish(msgspec.structs.replace(SHIPPED, catalogue=pretty))

    latest = catalogues.latest(world.conn)
    assert latest is not None
    assert latest.version == 1


def test_changed_content_is_the_next_version_and_the_old_one_stays(world: World) -> None:
    world.publish()
    world.publish(changed(lambda c: service(c).update(promised_working_days=2)))

    old, new = (catalogues.of_version(world.conn, version) for version in (1, 2))

    assert old is not None
    assert new is not None
    assert old.catalogue_sha256 != new.catalogue_sha256
    assert catalogues.blob(world.conn, old.catalogue_sha256) is not None


def test_number_lost_with_a_restore_is_not_given_again_a_minute_later(world: World) -> None:
    world.publish()
    # Nothing more is known to a backup of now, when it is put back and publishes in its turn.
    lost = publish.next_version(world.conn, NOW_MS + 3_600_000)

    again = publish.next_version(world.conn, NOW_MS + 3_660_000)

    assert (lost, again) == (62, 63)


def test_number_rises_by_one_when_the_clock_went_back(world: World) -> None:
    world.publish()

    assert publish.next_version(world.conn, NOW_MS - 3_600_000) == 2


def test_same_content_is_signed_anew_for_a_new_signing_key(world: World) -> None:
    world.publish()
    identity.renew(world.settings, world.settings.keys_dir / "root.key", world.entropy, NOW_MS)
    world.keys = identity.load(world.settings)

    published = world.publish()

    trust = Trust(roots=(world.keys.root_public,), certificate=world.keys.certificate)
    assert decode_manifest(published.manifest, trust).version == 2


def test_stranger_s_root_key_certifies_nothing(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other", seed=5)

    with pytest.raises(SettingRefused):
        identity.renew(world.settings, other.settings.keys_dir / "root.key", world.entropy, NOW_MS)

    assert identity.load(world.settings).certificate.serial == 1


def test_kiosk_that_pins_the_root_believes_the_manifest(world: World) -> None:
    published = world.publish()

    manifest = decode_manifest(published.manifest, Trust(roots=(world.keys.root_public,)))

    assert manifest.version == 1
    assert manifest.sealing_keys == world.keys.sealing
    for name in manifest.blobs:
        raw = catalogues.blob(world.conn, name)
        assert raw is not None
        assert blob_name(raw) == name
