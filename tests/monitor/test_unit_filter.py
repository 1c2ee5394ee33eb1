# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whom the units let through. What systemctl says is that of Debian 12; a stand-in for it says it here."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.monitor.diagnosis import Health
from appliance.monitor.unit_filter import closed_filters, read_filter, running_filter

DATA = Path("/var/lib/scanside")
AS_PACKAGED = "127.0.0.0/8 ::1/128"
SETTINGS = Settings.model_validate(
    {
        "listener": {"host": "0.0.0.0", "calling_ae_titles": ["ROOM2"]},
        "worklist": {"host": "192.0.2.11", "port": 104, "ae_title": "WORKLIST"},
        "sender": {
            "peers": [
                {"name": "PACS", "host": "192.0.2.10", "port": 104, "ae_title": "ARCHIVE", "commitment": True}
            ],
            "stow": [{"name": "Cloud", "url": "https://192.0.2.30/dicom-web"}],
        },
    }
)


def said(unit: str, allow: str, *, state: str = "active", data: Path = DATA) -> str:
    """The answer of `systemctl show`."""
    started = (
        f"argv[]=/usr/bin/python3 -m appliance.processes {unit} --data {data} --config /etc/s.toml ; pid=1"
    )
    return (
        f"ExecStart={{ path=/usr/bin/python3 ; {started} }}\n"
        f"IPAddressAllow={allow}\nIPAddressDeny=0.0.0.0/0 ::/0\nActiveState={state}\n"
    )


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose files are what a stand-in for systemctl says of each unit."""
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\nfor unit; do :; done\ncat "{tmp_path}/$unit" 2>/dev/null\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def say(folder: Path, process: str, allow: str, **kwargs: str) -> None:
    (folder / f"scanside-{process}.service").write_text(said(process, allow, **kwargs), "utf-8")


def test_as_packaged_nobody_is_let_through_and_each_is_told_with_its_remedy(systemctl: Path) -> None:
    for process in ("watcher", "sender", "worklist"):
        say(systemctl, process, AS_PACKAGED)
    found = {diagnosis.subject: diagnosis for diagnosis in closed_filters(SETTINGS, DATA)}
    assert {subject: diagnosis.health for subject, diagnosis in found.items()} == {
        "peer PACS: filter": Health.FAIL,
        "commitment of PACS: filter": Health.CHECK,
        "peer Cloud: filter": Health.FAIL,
        "worklist: filter": Health.FAIL,
        "DICOM door: filter": Health.FAIL,
    }
    assert found["peer PACS: filter"].found == "the unit scanside-sender does not let 192.0.2.10 through"
    assert "IPAddressAllow=192.0.2.10 into /etc/systemd/system/scanside-sender.service.d" in (
        found["peer PACS: filter"].remedy
    )


def test_who_is_let_through_is_not_told(systemctl: Path) -> None:
    say(systemctl, "watcher", f"{AS_PACKAGED} 192.0.2.20/32 192.0.2.10/32")
    say(systemctl, "sender", f"{AS_PACKAGED} 192.0.2.0/24")
    say(systemctl, "worklist", f"{AS_PACKAGED} 192.0.2.11/32")
    assert list(closed_filters(SETTINGS, DATA)) == []


def test_a_unit_that_does_not_run_or_works_elsewhere_says_nothing(systemctl: Path) -> None:
    say(systemctl, "sender", AS_PACKAGED, state="inactive")
    assert list(closed_filters(SETTINGS, DATA)) == []
    say(systemctl, "sender", AS_PACKAGED)
    assert list(closed_filters(SETTINGS, systemctl / "demo-data")) == []


def test_where_the_slots_run_their_unit_counts(systemctl: Path) -> None:
    say(systemctl, "software", AS_PACKAGED)
    found = list(closed_filters(SETTINGS, DATA))
    assert len(found) == 5
    assert all(diagnosis.found.startswith("the unit scanside-software ") for diagnosis in found)


def test_a_desk_has_no_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert running_filter("sender", DATA) is None


def test_what_is_allowed_counts_before_what_is_denied() -> None:
    unit = read_filter("scanside-sender", said("sender", f"{AS_PACKAGED} 192.0.2.10/32"), DATA)
    assert unit is not None
    assert unit.lets_through("192.0.2.10")
    assert unit.lets_through("::1")
    assert not unit.lets_through("192.0.2.11")
    assert not unit.is_this_machine_only
    free = read_filter("scanside-sender", "ActiveState=active\nExecStart=--data /var/lib/scanside \n", DATA)
    assert free is not None
    assert free.lets_through("192.0.2.11")
    assert not free.is_this_machine_only
