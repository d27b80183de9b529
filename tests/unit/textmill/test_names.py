"""What a name may be, and that the folders of a root are no names."""

from __future__ import annotations

import pytest

from pipelines import runs, versions
from textmill import names
from textmill.errors import InputError


def test_the_folders_of_every_root_are_refused() -> None:
    assert set(names.RESERVED) == {runs.STORE, versions.FOLDER}
    for name in names.RESERVED:
        with pytest.raises(InputError, match="is a folder of every root"):
            names.checked(name)


@pytest.mark.parametrize("name", ["", "a\n", "a b", "../a", "9a", "é", "a" * 129, None, 7, ["a"], "a\n* * * * * x"])
def test_what_is_no_name(name: object) -> None:
    assert not names.is_fit(name)
    with pytest.raises(InputError, match="is no name"):
        names.checked(name)


def test_a_name_leaves_room_for_what_files_append() -> None:
    assert names.checked("a" * 128) == "a" * 128
