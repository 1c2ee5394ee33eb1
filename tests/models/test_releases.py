# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Releases only go up, across restarts; the way back is a person's, one release wide, until the next one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.errors import ModelBundleError, StoreError
from appliance.models.registry import Registry
from appliance.models.releases import FILE, Releases
from appliance.models.served import Surroundings
from tests.tiny_bundles import Speaks, build, trusted


def release(number: int, *, task: str = "ct_denoise", name: str = "halve") -> Speaks:
    return Speaks(task, name, number)


def passes(folder: Path, number: int) -> bool:
    """Asked of the file alone, as after a restart."""
    try:
        Releases(folder).check(release(number))
    except ModelBundleError:
        return False
    return True


def test_nothing_is_known_at_first_and_a_look_leaves_nothing(tmp_path: Path) -> None:
    assert passes(tmp_path / "r", 0)
    assert not (tmp_path / "r").exists()


def test_what_has_served_counts_after_a_restart(tmp_path: Path) -> None:
    Releases(tmp_path).note(release(3))
    assert [passes(tmp_path, number) for number in (1, 2, 3, 4)] == [False, False, True, True]
    Releases(tmp_path).note(release(3))
    Releases(tmp_path).note(release(7))
    assert [passes(tmp_path, number) for number in (3, 6, 7)] == [False, False, True]
    with pytest.raises(ModelBundleError, match=r"Release 3 of 'halve' for ct_denoise .*release 7 has served"):
        Releases(tmp_path).note(release(3))


def test_each_model_has_its_own_count(tmp_path: Path) -> None:
    kept = Releases(tmp_path)
    kept.note(release(9))
    kept.note(release(1, name="another"))
    kept.note(release(2, task="chest_triage"))
    for other, lower in ((release(1, name="another"), 0), (release(2, task="chest_triage"), 1)):
        kept.check(other)
        with pytest.raises(ModelBundleError):
            kept.check(release(lower, task=other.task, name=other.name))


def test_a_person_goes_back_to_one_release_until_a_newer_one_serves(tmp_path: Path) -> None:
    kept = Releases(tmp_path)
    kept.note(release(5))
    kept.roll_back(release(3))
    assert [passes(tmp_path, number) for number in (2, 3, 4, 5)] == [False, True, False, True]
    kept.note(release(3))
    assert passes(tmp_path, 3), "it serves, and stays allowed"
    assert not passes(tmp_path, 4), "the highest one is still 5"
    kept.note(release(5))
    assert [passes(tmp_path, number) for number in (3, 5)] == [False, True]
    kept.roll_back(release(6))
    assert passes(tmp_path, 5), "forward is no way back"


def test_who_only_looks_keeps_nothing(tmp_path: Path) -> None:
    Releases(tmp_path).note(release(5))
    content = (tmp_path / FILE).read_bytes()
    looking = Releases(tmp_path, read_only=True)
    looking.note(release(9))
    looking.roll_back(release(1))
    assert (tmp_path / FILE).read_bytes() == content
    with pytest.raises(ModelBundleError):
        looking.check(release(4))


# Trace: REQ-024
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{}", b"{", b"\xff"),
        b'{"format": 1, "accepted": {"a": {"b": 1}}}',
        b'{"format": 2, "accepted": {}}',
    ],
)
def test_a_damaged_record_lets_nothing_pass_and_is_not_written_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    kept = Releases(tmp_path)
    for step in (kept.check, kept.note, kept.roll_back):
        with pytest.raises(ModelBundleError, match="which releases were accepted here is unknown"):
            step(release(1))
    assert (tmp_path / FILE).read_bytes() == content


def test_a_record_that_cannot_be_kept_stops_the_process(tmp_path: Path) -> None:
    (tmp_path / (FILE + ".part")).mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        Releases(tmp_path).note(release(1))
    assert not (tmp_path / FILE).exists()


def test_what_several_processes_note_at_once_is_all_kept(tmp_path: Path) -> None:
    note = (
        "import sys; from pathlib import Path; from appliance.models.releases import Releases;"
        "from tests.tiny_bundles import Speaks\n"
        "for number in range(40): Releases(Path(sys.argv[1])).note(Speaks(sys.argv[2], str(number), 3))"
    )
    tasks = ("one", "two", "three")
    processes = [subprocess.Popen([sys.executable, "-c", note, tmp_path, task]) for task in tasks]
    assert [process.wait() for process in processes] == [0, 0, 0]
    kept = Releases(tmp_path)
    for task in tasks:
        for number in range(40):
            with pytest.raises(ModelBundleError):
                kept.check(Speaks(task, str(number), 2))


def open_registry(models: Path, folder: Path, releases: Releases) -> Registry:
    return Registry(
        (models,),
        engines=("ort",),
        threads=1,
        cache=folder / "cache",
        trust=trusted(),
        surroundings=Surroundings(releases=releases),
    )


# Trace: REQ-024
def test_only_a_release_that_has_served_refuses_older_ones(tmp_path: Path) -> None:
    """A new release that no engine can serve must not shut out the old one, which can."""
    kept = Releases(tmp_path / "r")
    broken, good = build(tmp_path / "new" / "ct", release=2, golden_factor=0.9), tmp_path / "old"
    build(good / "ct", release=1)
    with (
        open_registry(broken.parent, tmp_path, kept) as registry,
        pytest.raises(Exception, match="No engine"),
    ):
        registry.served("ct_denoise")
    with open_registry(good, tmp_path, kept) as registry:
        assert registry.served("ct_denoise").card.release == 1
    build(tmp_path / "newer" / "ct", release=3)
    with open_registry(tmp_path / "newer", tmp_path, kept) as registry:
        assert registry.served("ct_denoise").card.release == 3
    with open_registry(good, tmp_path, kept) as registry:
        assert registry.tasks() == ()
        assert "release 3 has served on this device" in registry.problems[0].what
    kept.roll_back(release(1))
    with open_registry(good, tmp_path, kept) as registry:
        assert registry.served("ct_denoise").card.release == 1


def test_an_older_release_beside_the_one_that_serves_is_no_fault(tmp_path: Path) -> None:
    """The shipped bundle under a site's newer one: that is how most devices are."""
    kept = Releases(tmp_path / "r")
    build(tmp_path / "site" / "ct", release=3)
    build(tmp_path / "shipped" / "ct", release=1)
    build(tmp_path / "shipped" / "other", task="other", name="another", release=1)
    kept.note(release(3))
    kept.note(release(2, task="other", name="another"))
    with Registry(
        (tmp_path / "site", tmp_path / "shipped"),
        engines=("ort",),
        threads=1,
        cache=tmp_path / "cache",
        trust=trusted(),
        surroundings=Surroundings(releases=kept),
    ) as registry:
        card = registry.card("ct_denoise")
        assert card is not None
        assert card.release == 3
        assert [problem.what[:35] for problem in registry.problems] == ["Release 1 of 'another' for other is"]
