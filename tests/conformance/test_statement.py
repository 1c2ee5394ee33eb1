# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The statement against the port that is open, and against what is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from pynetdicom import AE, build_context
from pynetdicom.sop_class import CTImageStorage, PatientRootQueryRetrieveInformationModelFind
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.config import ListenerSettings, Settings
from appliance.conformance.page import page_of
from appliance.conformance.statement import VERIFICATION, statement_of
from appliance.intake.claim import Spool
from appliance.intake.listener import CommitmentReports, Listener
from appliance.layout import Layout
from appliance.receivers import PeerSettings, SenderSettings, StowSettings
from appliance.worklist import WorklistSettings
from tests.running import free_port

RUN = CliRunner()
PEER = PeerSettings(name="PACS", host="127.0.0.1", port=104, ae_title="ARCHIVE", commitment=True)


def test_what_it_says_of_the_port_is_what_the_port_accepts(layout: Layout) -> None:
    port = free_port()
    settings = Settings(listener=ListenerSettings(port=port), sender=SenderSettings(peers=(PEER,)))
    offered = [service for service in statement_of(settings).services if service.partner != PEER.name]
    named = [service for service in offered if service.sop_class_uid]
    with Listener(
        settings.listener,
        max_bytes=10**6,
        spool=Spool(layout),
        deliver=lambda _: None,
        clock=SystemClock(),
        reports=CommitmentReports(ae_titles=frozenset({"ARCHIVE"}), take=lambda _: None),
    ):
        for service in named:
            for syntax in service.transfer_syntaxes:
                assert accepts(port, service.sop_class_uid, syntax), (service.sop_class, syntax)
        assert accepts(port, CTImageStorage, "1.2.840.10008.1.2.4.90"), "every storage class, every syntax"
        assert accepts(port, "1.3.6.1.4.1.99999.1", "1.2.840.10008.1.2.1"), "private ones, too"
        assert not accepts(port, PatientRootQueryRetrieveInformationModelFind, "1.2.840.10008.1.2")


def accepts(port: int, abstract_syntax: str, transfer_syntax: str) -> bool:
    entity = AE(ae_title="ARCHIVE")
    association = entity.associate(
        "127.0.0.1", port, contexts=[build_context(abstract_syntax, transfer_syntax)], ae_title="SCANSIDE"
    )
    try:
        return bool(association.accepted_contexts)
    finally:
        if association.is_established:
            association.release()


def test_partners_and_their_services_follow_the_settings() -> None:
    alone = statement_of(Settings())
    assert alone.partners == alone.web_archives == ()
    assert {service.role for service in alone.services} == {"SCP"}
    silent = statement_of(Settings(listener=ListenerSettings(enabled=False)))
    assert silent.services == ()
    quiet = PeerSettings(name="PACS", host="h", port=104, ae_title="A", results=False)
    facts = statement_of(
        Settings(
            sender=SenderSettings(
                peers=(quiet,), stow=(StowSettings(name="web", url="https://example.org"),)
            ),
            worklist=WorklistSettings(host="ris"),
        )
    )
    assert [(partner.name, partner.takes) for partner in facts.partners] == [
        ("PACS", "originals"),
        ("worklist", "questions"),
    ]
    assert facts.web_archives == ("https://example.org",)
    used = [service for service in facts.services if service.role == "SCU"]
    assert [service.partner for service in used] == ["PACS", "PACS", "worklist"]
    assert used[0].sop_class_uid == VERIFICATION


def test_the_page_says_what_is_set_and_no_secret(tmp_path: Path) -> None:
    secret = StowSettings(name="web", url="https://example.org", user="u", password_file="/secrets/word")
    page = page_of(statement_of(Settings(site_name="Clinic", sender=SenderSettings(stow=(secret,)))))
    assert "Clinic" in page
    assert "secrets" not in page
    assert "None" not in page
    out = tmp_path / "statement.md"
    assert RUN.invoke(app, ["conformance", "--out", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("# DICOM Conformance Statement")


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_the_command_prints_it(flag: list[str]) -> None:
    answer = RUN.invoke(app, ["conformance", *flag])
    assert answer.exit_code == 0
    assert "1.2.840.10008.5.1.4.1.1.88.34" in answer.stdout
