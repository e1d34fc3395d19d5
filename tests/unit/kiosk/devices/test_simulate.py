"""`bianmin kiosk simulate`: devices that nobody has at hand, told by words what happens to them."""

from pathlib import Path

from click.testing import CliRunner

from kiosk.devices.cli import simulate
from kiosk.devices.simulated import Paper


def test_printer_says_where_it_listens_and_takes_words(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        simulate, ["printer", "--port", "0", "--into", str(tmp_path)], input="out\nhalf\nok\n"
    )

    assert answer.exit_code == 0
    lines = answer.output.splitlines()
    assert lines[0].startswith('printer = "tcp:127.0.0.1:')
    assert lines[1:] == [
        "0 slips so far; it is out",
        "0 slips so far; it is out",
        "0 slips so far; it is ok",
    ]


def test_card_reader_takes_words() -> None:
    answer = CliRunner().invoke(
        simulate, ["card-reader", "--port", "0"], input="card\nearly\naway\n"
    )

    assert answer.exit_code == 0
    assert answer.output.splitlines()[1:] == [
        "a card lies on it",
        "a card lies on it",
        "no card lies on it",
    ]


def test_card_that_no_reader_could_hold_is_refused() -> None:
    answer = CliRunner().invoke(simulate, ["card-reader", "--number", "123"])

    assert answer.exit_code == 2


def test_printer_out_of_paper_keeps_what_waits_and_answers_questions() -> None:
    paper = Paper()
    paper.state = "out"

    answers = paper.take(b"\x1b@\x1dv0\x00\x01\x00\x01\x00\xff\x10\x04\x04")
    paper.state = "ok"
    paper.take(b"\x1dV\x00")

    assert (answers, paper.slips) == (b"\x7e", [[b"\xff"]])
