"""The tag by which a person finds their matters without the slip."""

from kiosk.lookup import TAG_BYTES, kiosk_salt, people_of, person_tag, tags_of
from tests.unit.kiosk.parts import OLD_ID, PHONE

SALT = kiosk_salt(b"keys of this kiosk")


def test_same_person_has_the_same_tag() -> None:
    assert person_tag(OLD_ID, "1234", SALT) == person_tag(OLD_ID, "1234", SALT)
    assert len(person_tag(OLD_ID, "1234", SALT)) == TAG_BYTES


def test_another_kiosk_phone_or_card_has_another_tag() -> None:
    tags = {
        person_tag(OLD_ID, "1234", SALT),
        person_tag(OLD_ID, "1235", SALT),
        person_tag("11010519491231002X", "1234", SALT),
        person_tag(OLD_ID, "1234", kiosk_salt(b"keys of another kiosk")),
    }

    assert len(tags) == 4


def test_transaction_is_tagged_by_each_phone_that_was_given() -> None:
    answers = {"id_number": OLD_ID, "phone": PHONE, "agent_phone": "0871-6512345"}

    people = people_of(answers)

    assert people == ((OLD_ID, "1234"), (OLD_ID, "2345"))
    assert tags_of(people, SALT) == tuple(person_tag(*person, SALT) for person in people)


def test_nothing_is_tagged_without_card_or_phone() -> None:
    assert people_of({"id_number": OLD_ID}) == ()
    assert people_of({"phone": PHONE}) == ()
    assert people_of({"id_number": OLD_ID, "phone": "12"}) == ()
