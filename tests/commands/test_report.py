# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a table of a laboratory to a page, and from a page to a call: by the commands that a person types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.acquisition import Instance
from appliance.errors import ExitCode
from appliance.store.decisions import Choice, Decisions
from tests.monitor.reports.conftest import Site, found

MARCH = ("--from", "2026-03-01", "--to", "2026-03-31")


@pytest.fixture
def site(tmp_path: Path, make_instance: Callable[..., Instance]) -> Iterator[Site]:
    made = Site(tmp_path / "data", make_instance)
    made.exam("missed", found(0.1), accession_number="ACC-1")
    made.exam("right", found(0.9), accession_number="ACC-2")
    Decisions(made.database).decide("right", 1, Choice.REPEAT, reason="Positioning")
    yield made
    made.database.close()


def type_in(site: Site, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--data", str(site.layout.data)])


def outcomes(site: Site, tmp_path: Path) -> Result:
    file = tmp_path / "lab.csv"
    file.write_text(
        "accession_number,code,truth,sent_home\nACC-1,36118008,positive,yes\nACC-2,36118008,positive,no\n",
        encoding="utf-8",
    )
    return type_in(site, "outcomes", "import", file, "--json")


def test_outcomes_are_taken_once(site: Site, tmp_path: Path) -> None:
    first, second = outcomes(site, tmp_path), outcomes(site, tmp_path)
    assert json.loads(first.stdout) == {"new": 2, "known": 0, "conflicts": 0, "passed_over": []}
    assert json.loads(second.stdout) == {"new": 0, "known": 2, "conflicts": 0, "passed_over": []}


def test_hl7_is_recognised(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "results.hl7"
    file.write_bytes(
        b"MSH|^~\\&|LAB|H|S|H|20260310||ORU^R01|1|P|2.5.1\rPID|1||P\rOBR|1|1|1|x|||20260309|||||||||||ACC-1\r"
        b"OBX|1|CWE|36118008^Pneumothorax^SCT||POS||||||F\r"
    )
    done = type_in(site, "outcomes", "import", file)
    assert "1 outcomes are new, 0 were known." in done.stdout


def test_a_bad_file_is_refused_in_words_and_takes_nothing(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("accession_number,code,truth\nA,1,positive\nB,1,CANARY\n", encoding="utf-8")
    done = type_in(site, "outcomes", "import", file)
    assert done.exit_code == ExitCode.FOUND_FAULTS
    assert "line 3: truth must be" in done.output
    assert "CANARY" not in done.output
    assert site.database.read("SELECT count(*) FROM outcome") == [(0,)]


@pytest.mark.parametrize("name", ["rejects", "performance", "callbacks", "shift"])
def test_a_report_is_a_page_tables_and_json(name: str, site: Site, tmp_path: Path) -> None:
    outcomes(site, tmp_path)
    done = type_in(site, "report", name, *MARCH, "--out", tmp_path / "out", "--json")
    assert done.exit_code == ExitCode.OK, done.output
    said = json.loads(done.stdout)
    assert (said["schema"], said["report"], said["period"]) == (1, name, "2026-03-01 to 2026-03-31")
    files = [Path(file) for file in said["files"]]
    assert files[0].name == f"{name}.html"
    assert all(file.stat().st_size for file in files)
    tables = {table for part in said["parts"] for table in part["tables"]}
    assert {file.stem for file in files[1:]} == {f"{name}-{table}" for table in tables}


def test_performance_comes_from_what_was_imported(site: Site, tmp_path: Path) -> None:
    outcomes(site, tmp_path)
    done = type_in(site, "report", "performance", *MARCH, "--out", tmp_path, "--json")
    line = json.loads(done.stdout)["parts"][0]["tables"]["performance"][0]
    assert (line["true_positive"], line["false_negative"], line["sensitivity"]) == (1, 1, 0.5)
    assert "verification bias" in line["note"]


def test_in_words_the_page_and_the_patients_are_named(site: Site, tmp_path: Path) -> None:
    done = type_in(site, "report", "callbacks", *MARCH, "--out", tmp_path)
    assert "They hold names and IDs of patients" in done.stdout
    assert str(tmp_path / "callbacks.html") in done.stdout


@pytest.mark.parametrize("days", [("--from", "yesterday"), ("--from", "2026-04-01", "--to", "2026-03-01")])
def test_a_wrong_period_is_refused(days: tuple[str, ...], site: Site, tmp_path: Path) -> None:
    done = type_in(site, "report", "rejects", *days, "--out", tmp_path / "out")
    assert done.exit_code == ExitCode.CONFIG
    assert not (tmp_path / "out").exists()


def test_a_call_is_listed_made_and_closed(site: Site, tmp_path: Path) -> None:
    outcomes(site, tmp_path)

    def listed() -> dict[str, str]:
        (line,) = type_in(site, "callbacks", "list", *MARCH, "--json").stdout.splitlines()
        found_line: dict[str, str] = json.loads(line)
        return found_line

    open_one = listed()
    assert (open_one["status"], open_one["sent_home"], open_one["kind"]) == (
        "open",
        "yes",
        "missed by the AI",
    )
    assert open_one["patient_name"] == "CANARY^JANE"
    reference = open_one["reference"]
    type_in(site, "callbacks", "called", reference, "--by", "B. Nurse", "--note", "No answer.", *MARCH)
    assert (listed()["status"], listed()["note"]) == ("called", "No answer.")
    done = type_in(site, "callbacks", "done", reference, "--by", "B. Nurse", *MARCH, "--json")
    assert json.loads(done.stdout) == {"reference": reference, "status": "closed", "by": "B. Nurse"}
    assert (listed()["status"], listed()["called_by"]) == ("closed", "B. Nurse")
    assert listed()["called_at"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("0" * 8, "--by", "B"), "no call-back of this reference"),
        (("0" * 8, "--by", " "), "--by needs words"),
    ],
)
def test_a_call_that_is_none_is_refused(words: tuple[str, ...], said: str, site: Site) -> None:
    done = type_in(site, "callbacks", "done", *words, *MARCH)
    assert done.exit_code == ExitCode.CONFIG
    assert said in done.output


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    for words in (("report", "rejects"), ("callbacks", "list"), ("callbacks", "done", "x", "--by", "B")):
        done = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "none")])
        assert done.exit_code == ExitCode.STORE
        assert "There is no store" in done.output
    assert not (tmp_path / "none").exists()
