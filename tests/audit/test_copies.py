"""Data keys leave for a backup and come back, without those of people who were erased since."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dazi.audit.copies import CopiedKey, KeyCopy, bring_back, copied
from dazi.audit.keys import MASTER, SUBJECTS, SubjectKeys
from dazi.core.errors import OperatorError


@pytest.fixture
def copy(tmp_path: Path) -> KeyCopy:
    """Of three people's keys, one of which was destroyed."""
    folder = tmp_path / "from"
    keys = SubjectKeys(folder)
    for subject in ("ann", "bob", "eve"):
        keys.of(subject)
    keys.destroy("eve")
    keys.close()
    made = copied(folder)
    assert made is not None
    return made


def test_they_open_the_same_things_elsewhere(copy: KeyCopy, tmp_path: Path) -> None:
    assert [k.destroyed for k in copy.keys] == [False, False, True]
    assert bring_back(tmp_path / "to", copy, lambda key: key.subject == "bob", 5.0) == (1, 1)
    keys = SubjectKeys(tmp_path / "to")
    told = {k.subject: keys.by_id(k.id) for k in copy.keys}
    assert (told["bob"], told["eve"]) == ("erased", "erased")
    old = SubjectKeys(tmp_path / "from")
    sealed = old.of("ann").cipher.encrypt(b"0" * 12, b"said", None)
    assert keys.of("ann").cipher.decrypt(b"0" * 12, sealed, None) == b"said"
    keys.close()
    old.close()
    again = copied(tmp_path / "to")
    assert again is not None and again.installation == copy.installation
    assert [k.erased_at for k in again.keys if k.subject == "bob"] == [5.0]


def test_where_nothing_was_sealed_there_is_nothing_to_copy(copy: KeyCopy, tmp_path: Path) -> None:
    assert copied(tmp_path / "none") is None
    (tmp_path / "from" / MASTER).unlink()
    assert copied(tmp_path / "from") is None


def test_installations_are_told_apart(copy: KeyCopy) -> None:
    assert KeyCopy(b"another", ()).installation != copy.installation


def test_a_file_of_keys_that_is_none(copy: KeyCopy, tmp_path: Path) -> None:
    (tmp_path / "from" / SUBJECTS).write_bytes(b"no database" * 100)
    with pytest.raises(OperatorError):
        copied(tmp_path / "from")
    twice = KeyCopy(copy.master, (*copy.keys, CopiedKey("x", "ann", 1.0, b"w", None)))
    with pytest.raises(OperatorError):
        bring_back(tmp_path / "to", twice, lambda _: False, 5.0)
    with sqlite3.connect(tmp_path / "to" / SUBJECTS) as connection:
        assert connection.execute("SELECT count(*) FROM data_keys").fetchone() == (0,)
