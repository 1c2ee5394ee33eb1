# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Counters of a real tree of files, as Linux lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.models.energy import Reading, joules_between, read_rapl, reader_of_this_device


def domain(root: Path, name: str, *, used_uj: int, wraps_uj: int = 1000) -> None:
    (root / name).mkdir()
    (root / name / "energy_uj").write_text(f"{used_uj}\n", encoding="ascii")
    (root / name / "max_energy_range_uj").write_text(f"{wraps_uj}\n", encoding="ascii")


def test_packages_are_read_and_their_parts_are_not_counted_twice(tmp_path: Path) -> None:
    domain(tmp_path, "intel-rapl:0", used_uj=5)
    domain(tmp_path, "intel-rapl:0:0", used_uj=4)
    domain(tmp_path, "intel-rapl:1", used_uj=7)
    assert read_rapl(tmp_path) == Reading(microjoules=(5, 7), wraps_at_microjoules=(1000, 1000))


def test_a_device_that_tells_nothing_is_unknown(tmp_path: Path) -> None:
    assert read_rapl(tmp_path) is None
    assert read_rapl(tmp_path / "missing") is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert read_rapl(tmp_path) is None, "only root may read it"
    domain(tmp_path, "intel-rapl:1", used_uj=1)
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("?", encoding="ascii")
    assert read_rapl(tmp_path) is None


def test_the_difference_is_in_joules_and_survives_a_wrap() -> None:
    first = Reading(microjoules=(900_000, 10), wraps_at_microjoules=(1_000_000, 1_000_000))
    last = Reading(microjoules=(400_000, 500_010), wraps_at_microjoules=(1_000_000, 1_000_000))
    assert joules_between(first, last) == pytest.approx(1.0)


def test_what_was_not_read_is_unknown() -> None:
    reading = Reading(microjoules=(1,), wraps_at_microjoules=(10,))
    two = Reading(microjoules=(1, 2), wraps_at_microjoules=(10, 10))
    assert joules_between(None, reading) is None
    assert joules_between(reading, None) is None
    assert joules_between(reading, two) is None, "a package came or went meanwhile"


def test_the_first_reader_that_tells_something_is_used() -> None:
    reading = Reading(microjoules=(1,), wraps_at_microjoules=(10,))

    def silent() -> Reading | None:
        return None

    def telling() -> Reading | None:
        return reading

    assert reader_of_this_device((silent, telling)) is telling
    assert reader_of_this_device((silent,)) is None
