# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Log lines are JSON with their process in them, and no patient ever gets into one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.selftest.phantom_radiograph import Identity, write_chest

CANARY = "CANARY"

SCRIPTS = {
    "a warning of pydicom": """
        from pydicom.dataset import Dataset
        dataset = Dataset()
        dataset.PatientBirthDate = "CANARY^JANE"
        dataset.SOPInstanceUID = "CANARY^JANE"
    """,
    "a warning of Python": """
        import warnings
        warnings.warn("odd value CANARY^JANE")
        warnings.warn("odd value CANARY^JANE", DeprecationWarning)
    """,
    "an error that a library logs": """
        import logging
        for name in ("pydicom", "pynetdicom.assoc", "highdicom", "watchdog.observers"):
            logging.getLogger(name).error("cannot encode CANARY^JANE")
    """,
    "an exception with a cause": """
        try:
            try:
                float("CANARY^JANE")
            except ValueError as error:
                raise RuntimeError("CANARY^JANE") from error
        except RuntimeError as error:
            log.error("failed", exc_info=error)
    """,
    "a damaged file that is read all the same": """
        from pydicom import dcmread
        content = bytearray(open(file, "rb").read())
        place = content.index(b"CANARY")
        content[place - 4 : place - 2] = b"DA"
        import io
        dataset = dcmread(io.BytesIO(bytes(content)), force=True)
        str(dataset)
        dataset.save_as(io.BytesIO())
    """,
}


def logged(body: str, file: Path) -> list[dict[str, Any]]:
    """What a process with our logs says on both channels while it runs the lines of `body`."""
    lines = "\n".join(line.removeprefix("        ") for line in body.splitlines())
    code = (
        "import sys, structlog\n"
        "from appliance.logs import start_logs\n"
        "start_logs('test')\n"
        "log = structlog.get_logger()\n"
        f"file = {str(file)!r}\n"
        f"{lines}\n"
        "log.info('done', acquisition='a1')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert CANARY not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "film.dcm"
    write_chest(file, identity=Identity(patient_name="CANARY^JANE", patient_id=CANARY), rows=360, columns=300)
    return file


# Trace: REQ-034
@pytest.mark.parametrize("situation", SCRIPTS)
def test_no_patient_gets_into_a_log_line(situation: str, film: Path) -> None:
    lines = logged(SCRIPTS[situation], film)
    assert lines[-1]["event"] == "done"
    assert lines[-1]["process"] == "test"
    assert lines[-1]["level"] == "info"
    assert lines[-1]["timestamp"].endswith("Z")


def test_an_exception_is_told_with_its_kinds_and_places(film: Path) -> None:
    failed, _ = logged(SCRIPTS["an exception with a cause"], film)
    assert [part for part in failed["exception"] if ":" not in part] == ["RuntimeError", "ValueError"]
    assert any("<string>:" in part for part in failed["exception"])
