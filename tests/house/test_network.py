# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing talks to anybody by itself: few modules know the network, and importing the product is silent."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]
PlantTree = Callable[[dict[str, str]], Path]

PRODUCT = ("appliance", "export", "calibration", "ui", "benchmarks")
NETWORK_MODULES = frozenset(
    (
        "aiohttp",
        "ftplib",
        "grpc",
        "http",
        "httpx",
        "pynetdicom",
        "requests",
        "smtplib",
        "socket",
        "ssl",
        "tritonclient",
        "urllib",
        "urllib3",
    )
)
NETWORK_DOORS = {
    "appliance/monitor/neighbours.py": "is our own port free, do the peers in the settings answer",
    "appliance/monitor/unit_filter.py": "looks up the names of the peers in the settings",
    "appliance/processes/monitor.py": "the metrics' door: Prometheus calls us",
    "appliance/selftest/demonstration.py": "looks for a free port of this machine",
    "benchmarks/appliance_run.py": "the same",
    "benchmarks/faults/fuzz_outside.py": "reads damaged messages as they are received; calls nobody",
    "benchmarks/archive.py": "starts an archive on this machine and asks what it holds",
    "benchmarks/faults/intake_site.py": "one image to the DICOM door of a watcher on this machine",
    "benchmarks/faults/canaries.py": "an archive and a web address on this machine for the appliance",
    "benchmarks/faults/device.py": "the same, on a disk that fails",
    "benchmarks/faults/update_device.py": "a free port for it, and images to it",
    "benchmarks/faults/full_disk.py": "a free port for it",
    "appliance/engines/kserve.py": "asks the inference server of the settings, when worker.engines says so",
    "appliance/engines/remote.py": "the protocol's names for types of numbers",
    "appliance/models/publish.py": "the server's schema for its configuration; calls nobody",
    "appliance/intake/jail_child.py": "one end of a socket pair, whose other end is its parent",
    "appliance/intake/jail_process.py": "the other end",
    "appliance/conformance/statement.py": "reads a list of transfer syntaxes; calls nobody",
    "appliance/intake/listener.py": "the DICOM door: others call us",
    "appliance/outputs/over_http.py": "hands results and notices to the web servers in the settings",
    "appliance/outputs/mllp_send.py": "sends HL7 messages to the receivers in the settings",
    "appliance/outputs/email_send.py": "sends notices through the mail servers in the settings",
    "appliance/outputs/printer_send.py": "prints at the printers in the settings",
    "appliance/receivers/messages.py": "takes addresses apart; calls nobody",
    "appliance/intake/step_door.py": "reports of modalities, on the listener's port: others call us",
    "appliance/intake/worklist_query.py": "asks the one worklist server in the settings, and nobody else",
    "appliance/intake/doorkeeper.py": "who may come in there, and for how long",
    "appliance/intake/visit.py": "one connection to it",
    "appliance/tls.py": "which versions and ciphers are spoken, on either side; calls nobody",
    "appliance/monitor/service_manager.py": "a datagram to the service manager of this machine",
    "appliance/outputs/dicom_send.py": "sends to the peers in the settings, and to nobody else",
    "appliance/outputs/dicom_association.py": "opens the connection for it",
    "appliance/outputs/dicom_address.py": "the certificates for it",
    "appliance/outputs/dicom_reach.py": "finds out why there was no connection to such a peer",
    "appliance/outputs/stow_send.py": "sends to the DICOMweb receivers in the settings, and to nobody else",
}
"""Modules that may know the network, and why."""

IMPORT_AND_LISTEN = """
import importlib, sys
calls = []
sys.addaudithook(lambda event, args: calls.append((event, repr(args[-1]))) if event in (
    "socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request") else None)
for name in sys.argv[1:]:
    importlib.import_module(name)
sys.stdout.write("\\n".join(f"{event} {what}" for event, what in calls))
"""


def knows_the_network(root: Path, files: list[Path]) -> set[str]:
    """Python files of the product that import a module made for talking over a network."""
    found = set()
    for path in files:
        name = path.relative_to(root).as_posix()
        if path.suffix != ".py" or name.split("/")[0] not in PRODUCT:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [str(node.args[0].value)]
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
                else []
            )
            if NETWORK_MODULES & {module.split(".")[0] for module in modules}:
                found.add(name)
    return found


def outbound_calls_of_importing(modules: list[str]) -> list[str]:
    """Network calls (Python's audit events) that importing these modules makes."""
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_LISTEN, *modules], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_only_the_doors_know_the_network(repository: Path, files_of: FilesOf) -> None:
    assert knows_the_network(repository, files_of(repository)) - NETWORK_DOORS.keys() == set()


def test_importing_the_appliance_calls_nobody(repository: Path, files_of: FilesOf) -> None:
    """And every module of it can be imported, in one process."""
    files = [path.relative_to(repository) for path in files_of(repository) if path.suffix == ".py"]
    modules = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in files
        if path.parts[0] == "appliance" and path.name != "__main__.py"
    ]
    assert outbound_calls_of_importing(modules) == []


@pytest.mark.parametrize(
    "text",
    [
        "import socket\n",
        "from urllib.request import urlopen\n",
        "import requests\n",
        "import importlib\ngrpc = importlib.import_module('grpc')\n",
    ],
)
def test_a_new_door_is_seen(text: str, plant: PlantTree, files_of: FilesOf) -> None:
    root = plant({"appliance/monitor/phone_home.py": text, "tests/test_peer.py": text})
    assert knows_the_network(root, files_of(root)) == {"appliance/monitor/phone_home.py"}


def test_a_call_while_importing_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = "import socket\ns = socket.socket()\ns.settimeout(0.1)\ntry:\n    s.connect(('127.0.0.1', 9))\n"
    (tmp_path / "phones_home.py").write_text(
        caller + "except OSError:\n    pass\ns.close()\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert outbound_calls_of_importing(["phones_home"]) == ["socket.connect ('127.0.0.1', 9)"]
