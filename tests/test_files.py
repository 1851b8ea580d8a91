"""Files are written whole or not at all."""

import os

import pytest

from minigrad.files import replace_file, write_text


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o640)
    write_text(str(path), "new, \u00fc")
    assert path.read_text(encoding="utf-8") == "new, \u00fc" and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("failing", ["write", "rename"])
def test_a_failure_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def write(file):
        file.write(b"half")
        if failing == "write":
            raise KeyError

    def rename(*names):
        raise OSError("no space")

    if failing == "rename":
        monkeypatch.setattr(os, "replace", rename)
    with pytest.raises(KeyError if failing == "write" else OSError):
        replace_file(path, write)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_none_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="Parent directory .*nowhere does not exist"):
        write_text(tmp_path / "nowhere" / "out.txt", "new")
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path, "new")


def test_a_pipe_takes_the_bytes():
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        write_text(f"/dev/fd/{write}", "through")
        os.close(write)
        assert stream.read() == b"through"


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(os.fsencode(tmp_path / "link.txt"), "new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"
