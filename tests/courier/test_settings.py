# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the courier that cannot be meant are refused with their key."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import Settings, load_settings
from appliance.errors import ConfigError
from appliance.receivers import CourierSettings

RECIPIENT = "age1" + "q" * 58
PEER = '[[sender.peers]]\nname = "{name}"\nhost = "h"\nport = 104\nae_title = "A"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[courier]\nrecipients = ["somebody"]', "courier.recipients"),
        ("[courier]\nmax_bundle_bytes = 1", "courier.max_bundle_bytes"),
        ('[courier]\ninstead_of = ["PACS"]', "no receiver of sender is called so"),
        (f'[courier]\nrecipients = ["{RECIPIENT}"]\n' + PEER.format(name="courier"), "like the courier"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text(text, encoding="ascii")
    with pytest.raises(ConfigError, match=words):
        load_settings(file)


def test_nothing_waits_for_a_courier_that_carries_to_nobody(tmp_path: Path) -> None:
    assert Settings().everybody == ()
    assert [r.name for r in Settings(courier=CourierSettings(recipients=(RECIPIENT,))).everybody] == [
        "courier"
    ]
    file = tmp_path / "scanside.toml"
    file.write_text('[courier]\ninstead_of = ["PACS"]\n' + PEER.format(name="PACS"), encoding="ascii")
    assert [r.name for r in load_settings(file).everybody] == ["PACS"]
