"""Who is before the screen beside the resident: a helper, those who wait, the family. Values."""

from kiosk.places import Part


class Helper(Part, frozen=True):
    """A helper who signed in; the resident reads on every screen who it is."""

    #: As it goes into the record: 1 to 4 digits.
    number: str
    name: str = ""


class Line(Part, frozen=True):
    """People who wait, by the numbers that the helper gave out; nobody's name."""

    #: Numbers given out and numbers called so far.
    issued: int = 0
    called: int = 0

    @property
    def waiting(self) -> int:
        """Answer how many wait."""
        return self.issued - self.called


class Person(Part, frozen=True):
    """What one matter of this visit said of a person; memory only, gone with the visit.

    Fields bear the names of the forms' questions; "" = not said.
    """

    id_number: str = ""
    name: str = ""
    phone: str = ""
    village_code: str = ""
    bank_card: str = ""
    applicant_kind: str = ""
    agent_name: str = ""
    agent_phone: str = ""
    agent_relation: str = ""
    case_no: str = ""
