"""The profile's pieces add up to the whole."""

import pytest

from benchmarks import profile
from benchmarks.__main__ import main


def test_pieces_add_up():
    found = profile.pieces(10, rounds=1, block=1e-4)
    parts = sum(value for name, value in found.items() if name != "whole" and not name.startswith("("))
    assert parts == pytest.approx(found["whole"])


def test_the_command_prints_a_share_for_each_piece(capsys):
    assert main(["profile", "--quick"]) == 0
    text = capsys.readouterr().out
    assert "engine: order, versions, delivery" in text
    assert "100%" in text
    with pytest.raises(SystemExit):
        main(["profile", "--nonsense"])
