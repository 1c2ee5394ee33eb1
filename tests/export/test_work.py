# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A step is done once, and again only when what it was made from or what it made has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from export.work import WorkFolder


class Steps:
    def __init__(self, folder: Path) -> None:
        self.done = 0
        self.work = WorkFolder(folder, clock=ManualClock(), progress=lambda *_: None)
        self.source = folder / "source"
        self.source.write_text("one")

    def do(self, **options: object) -> dict[str, object]:
        def step() -> dict[str, object]:
            self.done += 1
            self.work.path("made").write_text(self.source.read_text() * 2)
            return {"length": 6, "table": (1, 2)}

        return self.work.step("double", given={"source": self.source, **options}, makes=["made"], do=step)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path)


def test_the_second_time_the_result_is_read(steps: Steps) -> None:
    assert steps.do() == steps.do() == {"length": 6, "table": [1, 2]}
    assert steps.done == 1


def test_another_content_or_option_is_another_step(steps: Steps) -> None:
    steps.do()
    steps.source.write_text("two")
    steps.do()
    steps.do(factor=3)
    assert steps.done == 3


def test_a_changed_or_missing_product_is_made_again(steps: Steps) -> None:
    steps.do()
    steps.work.path("made").write_text("something else")
    steps.do()
    steps.work.path("made").unlink()
    steps.do()
    assert steps.done == 3
    assert steps.work.path("made").read_text() == "oneone"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}'])
def test_a_damaged_record_counts_for_nothing(steps: Steps, content: str) -> None:
    steps.do()
    steps.work.path("double.json").write_text(content)
    steps.do()
    assert steps.done == 2


def test_a_step_that_fails_leaves_no_record(steps: Steps) -> None:
    steps.do()

    def fail() -> dict[str, object]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        steps.work.step("double", given={"other": 1}, makes=[], do=fail)
    assert not steps.work.path("double.json").exists()
