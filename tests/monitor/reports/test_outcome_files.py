# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Outcomes from CSV and HL7: what is taken, what is refused, and that no error quotes a patient."""

from __future__ import annotations

import pytest

from appliance.errors import InputError
from appliance.monitor.reports.outcome_csv import read_csv
from appliance.monitor.reports.outcome_hl7 import read_hl7
from appliance.store.connection import Database
from appliance.store.outcomes import Imported, KeyKind, Outcome, Outcomes, Truth
from tests.monitor.reports.conftest import Site

TABLE = (
    "accession_number;patient_id;code;truth;observed_on;sent_home\r\n"
    "ACC-1;P-1;36118008;positive;2026-03-02;yes\r\n"
    ";P-2;36118008;NEGATIVE;2026-03-03;\r\n"
    "ACC-3;;36118008;unknown;;no\r\n"
)


def test_a_table_is_read_with_the_surest_key_of_each_row() -> None:
    read = read_csv(TABLE.encode("utf-8-sig"))
    assert [(one.key_kind, one.key_value, one.truth, one.sent_home) for one in read.outcomes] == [
        (KeyKind.ACCESSION_NUMBER, "ACC-1", Truth.POSITIVE, True),
        (KeyKind.PATIENT_ID, "P-2", Truth.NEGATIVE, None),
        (KeyKind.ACCESSION_NUMBER, "ACC-3", Truth.UNKNOWN, False),
    ]
    assert {one.code_scheme for one in read.outcomes} == {"SCT"}
    assert read.passed_over == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patient_id,code\n", "needs the columns code, truth"),
        ("code,truth\n1,positive\n", "one of study_instance_uid, accession_number, patient_id"),
        ("", "needs the columns"),
        ("accession_number,code,truth\nA,1,CANARY\n", "line 2: truth must be positive, negative or unknown"),
        ("accession_number,code,truth\n,1,positive\n", "line 2: one of"),
        ("accession_number,code,truth\nA,,positive\n", "line 2: code is empty"),
        ("patient_id,code,truth\nCANARY,1,positive\n", "with patient_id alone, observed_on"),
        ("patient_id,code,truth,observed_on\nCANARY,1,positive,3.2.2026\n", "observed_on must be a day"),
        (
            "accession_number,code,truth,sent_home\nA,1,positive,perhaps\n",
            "sent_home must be yes, no or empty",
        ),
        ("accession_number,code,truth\n" + "C" * 65 + ",1,positive\n", "longer than 64"),
        ('accession_number,code,truth\n"A,1,positive\n', "cannot be read"),
        ("accession_number,code,truth\n" + "A,1,CANARY\n" * 9, "and 4 more"),
        ('"accession_number,code,truth\nA,1,positive\n', "cannot be read from line 1 on"),
        ('accession_number,code,truth\nA,1,positive\n"B,1,positive\n', "cannot be read from line"),
    ],
)
def test_what_cannot_be_understood_is_refused_without_quoting_it(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_csv(text.encode("utf-8"))
    assert words in str(refused.value)
    assert "CANARY" not in str(refused.value)


def test_another_encoding_and_unknown_columns_are_said() -> None:
    with pytest.raises(InputError, match="not UTF-8"):
        read_csv("accession_number,code,truth\nÄ,1,positive\n".encode("latin-1"))
    read = read_csv(b"accession_number,code,truth,phone\nA,1,positive,123\n")
    assert read.passed_over == ("1 columns that have no meaning here",)


def message(*segments: str) -> bytes:
    head = "MSH|^~\\&|LAB|H|SCAN|H|20260310||ORU^R01^ORU_R01|1|P|2.5.1"
    return ("\r".join((head, *segments)) + "\r").encode()


PID = "PID|1||P-7^^^H^MR||CANARY^JANE"
OBR = "OBR|1|1|1|38104-1^Chest^LN|||20260309101500|||||||||||ACC-7"


def obx(answer: str, *, code: str = "36118008^Pneumothorax^SCT", status: str = "F", flag: str = "") -> str:
    return f"OBX|1|CWE|{code}||{answer}|||{flag}|||{status}"


@pytest.mark.parametrize(
    ("answer", "flag", "truth"),
    [
        ("10828004^Positive^SCT", "", Truth.POSITIVE),
        ("260415000^Not detected^SCT", "", Truth.NEGATIVE),
        ("POSITIVE", "", Truth.POSITIVE),
        ("N", "", Truth.NEGATIVE),
        ("see text", "POS", Truth.POSITIVE),
        ("see text", "NEG", Truth.NEGATIVE),
        ("see text", "A", Truth.UNKNOWN),
        ("POSITIVE", "NEG", Truth.UNKNOWN),
        ("", "", Truth.UNKNOWN),
    ],
)
def test_an_observation_says_whether_it_was_there(answer: str, flag: str, truth: Truth) -> None:
    (one,) = read_hl7(message(PID, OBR, obx(answer, flag=flag))).outcomes
    assert (one.truth, one.code_value, one.code_scheme) == (truth, "36118008", "SCT")
    assert (one.key_kind, one.key_value, one.observed_on) == (KeyKind.ACCESSION_NUMBER, "ACC-7", "2026-03-09")
    assert one.source == "hl7"


def test_keys_who_went_home_and_several_messages() -> None:
    home = "PV1|1|E" + "|" * 34 + "01"
    study = "OBX|1|ST|113014^Study Instance UID^DCM||1.2.3||||||F"
    no_accession = OBR.removesuffix("ACC-7")
    content = message(PID, home, OBR, study, obx("POS")) + message(PID, no_accession, obx("NEG"))
    first, second = read_hl7(content.replace(b"\r", b"\r\n")).outcomes
    assert (first.key_kind, first.key_value, first.sent_home) == (KeyKind.STUDY_INSTANCE_UID, "1.2.3", True)
    assert (second.key_kind, second.key_value, second.sent_home) == (KeyKind.PATIENT_ID, "P-7", None)


def test_corrections_withdrawals_and_preliminary_results() -> None:
    read = read_hl7(message(PID, OBR, obx("POS", status="C"), obx("POS", status="W"), obx("POS", status="P")))
    assert [(one.truth, one.is_correction) for one in read.outcomes] == [
        (Truth.POSITIVE, True),
        (Truth.UNKNOWN, True),
    ]
    assert read.passed_over == ("1 results that are not final",)


def test_what_names_no_examination_is_passed_over_and_other_questions_are_none() -> None:
    read = read_hl7(message("OBR|1|1|1|x", obx("POS"), obx("5.1", code="WBC^Leukocytes^L")))
    assert read.outcomes == ()
    assert read.passed_over == ("1 results without patient, accession number or day",)


@pytest.mark.parametrize("content", [b"", b"hello", b"MSH|", b"MSH|^~\\&|\rCANARY^JANE"])
def test_what_is_no_hl7_is_refused_without_quoting_it(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        read_hl7(content)
    assert "CANARY" not in str(refused.value)


# The ledger


def one(truth: Truth = Truth.POSITIVE, **change: object) -> Outcome:
    known: dict[str, object] = {
        "key_kind": KeyKind.ACCESSION_NUMBER,
        "key_value": "A",
        "code_value": "1",
        "code_scheme": "SCT",
        "truth": truth,
        "observed_on": "",
        "sent_home": None,
        "is_correction": False,
        "source": "csv",
    }
    return Outcome(**known | change)  # type: ignore[arg-type]


@pytest.fixture
def database(site: Site) -> Database:
    return site.database


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    outcomes = read_csv(TABLE.encode()).outcomes
    assert Outcomes(database).add(outcomes) == Imported(new=3, known=0, conflicts=0)
    before = database.read("SELECT * FROM outcome")
    assert Outcomes(database).add(outcomes) == Imported(new=0, known=3, conflicts=0)
    assert database.read("SELECT * FROM outcome") == before
    assert Outcomes(database).every() == outcomes


def test_a_contradiction_is_counted_and_kept(database: Database) -> None:
    ledger = Outcomes(database)
    ledger.add([one()])
    assert ledger.add([one(Truth.NEGATIVE)]) == Imported(new=1, known=0, conflicts=1)
    assert ledger.add([one(Truth.NEGATIVE)]) == Imported(new=0, known=1, conflicts=0)
    assert len(ledger.every()) == 2


def test_neither_a_correction_nor_an_unknown_nor_another_day_of_a_patient_contradicts(
    database: Database,
) -> None:
    ledger = Outcomes(database)
    ledger.add([one(), one(key_kind=KeyKind.PATIENT_ID, observed_on="2026-01-01")])
    later = one(Truth.NEGATIVE, key_kind=KeyKind.PATIENT_ID, observed_on="2026-03-01")
    added = ledger.add([one(Truth.NEGATIVE, is_correction=True), one(Truth.UNKNOWN), later])
    assert added == Imported(new=3, known=0, conflicts=0)
