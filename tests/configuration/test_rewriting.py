# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Older forms of the settings are understood, told of, and written anew with their comments."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest

from appliance.configuration.rewriting import migrated, write_migrated
from appliance.errors import ConfigError
from appliance.settings_form import CHANGES, CURRENT_FORM, Change, bring_up_to_date, form_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INVENTED = (
    Change(since=2, old="listener.aet", new="listener.ae_title", why="as DICOM calls it"),
    Change(since=2, old="sender.peers[].timeout", new="sender.peers[].answer_timeout_s", why="units"),
    Change(since=3, old="worker.gpu", new=None, why="it is found by itself"),
    Change(since=3, old="site", new="kiosk.room.name", why="it is shown there"),
)
OLD = """# our site
site = "West"  # the clinic
[listener]
# as the scanner knows it
aet = "ROOM1"
[worker]
gpu = true
[[sender.peers]]
name = "pacs"
timeout = 5.0
[[sender.peers]]
name = "second"
"""


def test_a_file_is_written_anew_with_its_comments() -> None:
    text, before, done = migrated(OLD, changes=INVENTED, current=3)
    assert before == 1
    assert done == INVENTED
    assert tomllib.loads(text) == {
        "settings_version": 3,
        "listener": {"ae_title": "ROOM1"},
        "worker": {},
        "sender": {"peers": [{"name": "pacs", "answer_timeout_s": 5.0}, {"name": "second"}]},
        "kiosk": {"room": {"name": "West"}},
    }
    assert "# as the scanner knows it" in text
    assert migrated(text, changes=INVENTED, current=3) == (text, 3, ())


def test_a_newer_form_keeps_what_looks_old_and_an_unknown_one_is_refused() -> None:
    content = {"settings_version": 2, "listener": {"aet": "X"}}
    before = copy.deepcopy(content)
    assert bring_up_to_date(content, changes=INVENTED, current=3) == ()
    assert content == before
    for form in (0, True, "2", 1.5, 4):
        with pytest.raises(ConfigError):
            form_of({"settings_version": form}, current=3)


def test_both_names_at_once_are_refused() -> None:
    content = {"listener": {"aet": "A", "ae_title": "B"}}
    with pytest.raises(ConfigError, match=r"Both listener\.aet and listener\.ae_title"):
        bring_up_to_date(content, changes=INVENTED, current=3)


@pytest.mark.parametrize(
    "text", ["listener = 3\nsender = 1\n", "[sender]\npeers = 3\n", "[sender]\npeers = [1]\n"]
)
def test_other_shapes_are_left_to_the_check(text: str) -> None:
    assert bring_up_to_date(tomllib.loads(text), changes=INVENTED, current=3) == ()


def test_the_original_is_kept_beside_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text("site_name = 'old'\n", encoding="utf-8")
    file.chmod(0o640)
    first = write_migrated(file, "site_name = 'new'\n", before=1)
    second = write_migrated(file, "site_name = 'newer'\n", before=1)
    assert [path.read_text(encoding="utf-8") for path in (first, second, file)] == [
        "site_name = 'old'\n",
        "site_name = 'new'\n",
        "site_name = 'newer'\n",
    ]
    assert {path.stat().st_mode & 0o777 for path in (first, second, file)} == {0o640}


def test_a_text_that_would_not_hold_touches_nothing(tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text("site_name = 'old'\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        write_migrated(file, "sight = 'new'\n", before=1)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.read_text(encoding="utf-8") == "site_name = 'old'\n"


def test_the_table_of_this_software_fits_its_form() -> None:
    assert all(1 < change.since <= CURRENT_FORM for change in CHANGES)
    assert max((change.since for change in CHANGES), default=1) == CURRENT_FORM
