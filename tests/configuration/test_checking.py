# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every fault of a settings file at once, with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import load_settings
from appliance.configuration.checking import check_settings
from appliance.errors import ConfigError

PEER = '[[sender.peers]]\nname = "pacs"\nhost = "h"\nport = 104\nae_title = "PACS"\n'


@pytest.fixture(autouse=True)
def _only_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCANSIDE__MODEL_KEYS", raising=False)


def write(folder: Path, text: str) -> Path:
    file = folder / "scanside.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "line", "key", "said", "remedy"),
    [
        ("[listener]\nport = 70000\n", 2, "listener.port", "= 70000 is not allowed", "docs/settings.md"),
        ("[listener]\nport = 'x'\n", 2, "listener.port", "= 'x' is not allowed", "docs/settings.md"),
        ("[listener]\n\nprot = 104\n", 3, "listener.prot", "no setting listener.prot", "Did you mean port?"),
        ("[listner]\nport = 104\n", 1, "listner", "no setting listner", "Did you mean listener?"),
        ("[sender]\nceiling_min = 3\n", 2, "sender.ceiling_min", "no setting", "There is queue.ceiling_min"),
        ("quux_zz = 3\n", 1, "quux_zz", "no setting", "Remove the line"),
        ("sender = 3\n", 1, "sender", "= 3 is not allowed", "docs/settings.md"),
        ("[worker]\nengines = ['ort',\n 'tpu']\n", 2, "worker.engines.1", "no engine of that name", "docs"),
        ("[kiosk]\nprofile = 'wall'\n", 2, "kiosk.profile", "'scanner', 'rural' or 'fracture'", "docs"),
        ("[listener]\ntls = true\n", 1, "listener", "tls needs certificate_file", "docs"),
        (
            "[[sender.peers]]\nname = 'p'\nhost = 'h'\nport = 1\n",
            1,
            "sender.peers.0.ae_title",
            "missing",
            "Add it",
        ),
        (PEER + PEER, 1, "sender", "two receivers are called 'pacs'", "docs"),
        ("[worker]\nengines = ['remote']\n", None, "remote.address", "remote.address is empty", "Set it"),
        ("[courier]\nrecipients = []\ninstead_of = ['x']\n", 3, "courier.instead_of", "names 'x'", "Write"),
        ("settings_version = 99\n", None, "", "of form 99", "newer Scanside"),
        ("settings_version = 'a'\n", None, "", "no form", "settings_version = 1"),
        ("[listener\n", 1, "", "no TOML", "Mend that line"),
        ("a = 1\na = 2\n", 2, "", "second time; first on line 1", "Mend that line"),
    ],
)
def test_one_fault(tmp_path: Path, text: str, line: int | None, key: str, said: str, remedy: str) -> None:
    file = write(tmp_path, text)
    checked = check_settings(file)
    assert not checked.holds
    fault = next(fault for fault in checked.faults if said in fault.what)
    assert fault.key == key
    assert fault.where == (str(file) if line is None else f"{file}, line {line}")
    assert remedy in fault.remedy
    with pytest.raises(ConfigError):
        load_settings(file)


def test_all_of_many_faults_at_once(tmp_path: Path) -> None:
    text = (
        "[listener]\nport = 70000\nhosst = 'x'\ntls = true\nlight = = 3\n"
        "[worker]\nengines = ['remote']\nthreads = 0\n" + PEER.replace("104", "0")
    )
    file = write(tmp_path, text + "[courier]\ninstead_of = ['pacs']\n")
    assert {fault.key for fault in check_settings(file).faults} == {
        "",
        "listener.port",
        "listener.hosst",
        "listener",
        "worker.threads",
        "sender.peers.0.port",
        "remote.address",
    }  # nothing of the courier: the receiver that it names is there, though it cannot be read


def test_a_whole_file_has_none(tmp_path: Path) -> None:
    assert check_settings(write(tmp_path, PEER)).faults == ()
    assert check_settings(None).faults == ()


def test_a_file_that_is_not_here_may_be_on_the_device(tmp_path: Path) -> None:
    text = "[listener]\ntls = true\ncertificate_file = '/none/here.pem'\n"
    checked = check_settings(write(tmp_path, text))
    (fault,) = checked.faults
    assert fault.only_here
    assert fault.where.endswith("line 3")
    assert checked.holds


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff", "no UTF-8 text at byte 0"), (None, "cannot be read")]
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "scanside.toml"
    if content is not None:
        file.write_bytes(content)
    (fault,) = check_settings(file).faults
    assert said in fault.what


def test_the_environment_is_named_where_it_has_the_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANSIDE__LISTENER__PORT", "0")
    monkeypatch.setenv("SCANSIDE__LISTNER__HOST", "x")
    faults = check_settings(write(tmp_path, "[listener]\nport = 104\n")).faults
    assert {fault.where for fault in faults} == {
        "environment variable SCANSIDE__LISTENER__PORT",
        "environment variable SCANSIDE__LISTNER__HOST",
    }
    monkeypatch.setenv("SCANSIDE__WORKER__ENGINES", "[ort")
    assert any("JSON" in fault.remedy for fault in check_settings(None).faults)
    with pytest.raises(ConfigError, match="JSON"):
        load_settings()


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    text = "[[sender.stow]]\nname = 's'\nurl = 'https://me:hunter2@host/a b'\n"
    (fault,) = check_settings(write(tmp_path, text)).faults
    assert "hunter2" not in fault.what
    assert "***@host" in fault.what
