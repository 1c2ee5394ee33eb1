# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import InputError
from appliance.simulation.recorded import UNLOOKED, Exam, Recorded, read_csv, yes

HEADER = "arrived_at,stat,alarm,probability:Fracture,flagged:Fracture,present:Fracture,present:Gout\n"


def read(tmp_path: Path, rows: str, *, header: str = HEADER, unlooked_share: float = 0.0) -> Recorded:
    file = tmp_path / "exams.csv"
    file.write_text(header + rows, encoding="utf-8")
    return read_csv(file, unlooked_share=unlooked_share)


def test_a_table_is_read_in_order_of_arrival(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "2026-03-03T08:00:00+02:00,yes,,0.9,,1,\n2026-03-02T23:30:00,0,1,0.3,1,,1\n2026-03-03T09:00,,,,,,\n",
    )
    assert [exam.arrived_at.day for exam in found.exams] == [2, 3, 3]
    first, second, third = found.exams
    assert (first.is_stat, first.is_alarm, first.harm_rate) == (False, True, 0.3)
    assert first.known == {"Gout": True}
    assert (second.is_stat, second.harm_rate, second.known) == (True, 0.9, {"Fracture": True})
    assert second.arrived_at == datetime(2026, 3, 3, 8), "the site's own time of day"  # noqa: DTZ001
    assert (third.harm_rate, third.probabilities) == (None, {}), "no answer is not known"


def test_what_is_known_is_kept_and_the_rest_is_drawn(tmp_path: Path) -> None:
    day = "".join(f"2026-03-02T08:{minute:02}:00,,,0.25,,,\n" for minute in range(60)) * 20
    found = read(tmp_path, day + "2026-03-02T00:00:00,,,0.0,,1,1\n")
    arrivals = found.draw(np.random.default_rng(1))
    assert arrivals.findings == ("Fracture", "Gout")
    assert arrivals.looked_for == (True, False)
    assert arrivals.present[0].tolist() == [True, True]
    assert float(arrivals.present[1:, 0].mean()) == pytest.approx(0.25, abs=0.04)
    assert not arrivals.present[1:, 1].any(), "nobody wrote it down"
    assert arrivals.arrived_s[0] == 0.0, "2 March 2026 is a Monday"
    assert arrivals.arrived_s[1] == 8 * 3600.0


def test_what_nobody_looks_for_is_drawn_apart_from_the_ai(tmp_path: Path) -> None:
    rows = "2026-03-02T08:00:00,,,0.9,,,\n2026-03-02T08:00:00,,,0.1,,,\n" * 2000
    arrivals = read(tmp_path, rows, unlooked_share=0.1).draw(np.random.default_rng(1))
    assert arrivals.findings[-1] == UNLOOKED
    assert arrivals.looked_for[-1] is False
    there = arrivals.present[:, -1]
    assert float(there[arrivals.is_flagged].mean()) == pytest.approx(0.1, abs=0.02)
    assert float(there[~arrivals.is_flagged].mean()) == pytest.approx(0.1, abs=0.02)


def test_an_exam_without_an_answer_is_like_the_others() -> None:
    def exam(probabilities: dict[str, float], harm_rate: float | None) -> Exam:
        return Exam(
            arrived_at=datetime(2026, 3, 2, 8),  # noqa: DTZ001
            is_stat=False,
            is_alarm=False,
            harm_rate=harm_rate,
            probabilities=probabilities,
            known={},
        )

    exams = (exam({"F": 0.2}, 0.0), exam({"F": 0.6}, 0.6)) * 10 + (exam({}, None),) * 4000
    arrivals = Recorded(exams=exams, unlooked_share=0.0).draw(np.random.default_rng(1))
    silent = np.isnan(arrivals.harm_rate)
    assert int(silent.sum()) == 4000
    assert float(arrivals.present[silent, 0].mean()) == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("yesterday,,,,,,", "line 2"),
        ("2026-03-02T08:00:00,,,1.5,,,", "1.5 is no probability"),
        ("2026-03-02T08:00:00,maybe,,,,,", "neither yes nor no"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, row + "\n")


def test_a_table_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column arrived_at"):
        read(tmp_path, "1\n", header="when\n")


def test_yes_and_no() -> None:
    assert [yes(word) for word in ("1", "True", " no ", "0")] == [True, True, False, False]
