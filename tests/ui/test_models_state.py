# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

from appliance.domain.card import ModelCard
from appliance.errors import ModelBundleError
from appliance.models.inventory import Answering, Inventory
from appliance.models.keys import Signer
from appliance.models.passport import Passport
from ui.device_state import LineKind
from ui.models_state import ModelCardState, being_checked, models_state, not_checked

SIGNER = Signer(name="clinic-west", fingerprint="3f2a" * 16)
PASSPORT = Passport(
    task="chest_triage",
    model="chest_triage@1.0",
    engine="ort",
    precision="int8",
    threads=2,
    words="ort int8 CPU",
    device="CPU",
    processor="cpu",
    device_key="",
    libraries={},
    made_at_utc="2026-03-01T08:00:00+00:00",
    passed=True,
    worst_difference=0.0021,
    tolerance=0.01,
    decisions=40,
    flipped=1,
    runs=20,
    p50_ms=12.0,
    p95_ms=14.0,
    p99_ms=15.5,
)


def one(card: ModelCard, **change: Any) -> ModelCardState:
    fields: dict[str, Any] = {"card": card, "signer": SIGNER, "passports": (), "stepped_back": None, **change}
    shown = models_state(Inventory(models=(Answering(**fields),), problems=()))
    assert shown.message == ""
    return shown.models[0]


def test_trusted_is_only_what_has_a_verified_signer(chest_card: ModelCard) -> None:
    signed = one(chest_card)
    assert (signed.trust.kind, signed.trust.word) == (LineKind.OK, "TRUSTED")
    assert signed.fingerprint.replace(" ", "") == SIGNER.fingerprint
    unsigned = one(chest_card, signer=None)
    assert unsigned.trust.kind is LineKind.UNKNOWN
    assert "TRUSTED" not in unsigned.trust.word
    assert unsigned.fingerprint == ""


def test_a_passport_is_told_with_parity_flips_and_times(chest_card: ModelCard) -> None:
    (line,) = one(chest_card, passports=(PASSPORT,)).passports
    assert line.word == "ort int8 CPU"
    for part in (
        "off by 0.0021, allowed 0.01",
        "1 of 40 decisions flipped",
        "12 / 14 / 15.5 ms",
        "2026-03-01",
    ):
        assert part in line.detail
    (untold,) = one(chest_card, passports=(replace(PASSPORT, decisions=None, p99_ms=None),)).passports
    assert "decides nothing" in untold.detail
    assert "12 / 14 / ? ms" in untold.detail
    (none,) = one(chest_card).passports
    assert none.kind is LineKind.UNKNOWN


def test_restrictions_and_thresholds_are_shown(chest_card: ModelCard) -> None:
    provenance = replace(chest_card.provenance, restrictions="Evaluation only.")
    limited = one(replace(chest_card, provenance=provenance))
    assert (limited.limits.kind, limited.limits.advice) == (LineKind.ATTENTION, "Evaluation only.")
    free = one(replace(chest_card, provenance=replace(provenance, restrictions="")))
    assert free.limits.kind is LineKind.UNKNOWN, "nobody said that everything is allowed"
    assert len(free.thresholds) == len(chest_card.labels)
    label = chest_card.labels[0]
    assert free.thresholds[0].startswith(f"{label.code.meaning}: medium from {label.sensitive_threshold:.2f}")


def test_what_was_refused_is_told_and_foreign_text_is_harmless(chest_card: ModelCard) -> None:
    problem = ModelBundleError("The bundle \u202eevil is refused.", remedy="Get it again.")
    shown = models_state(Inventory(models=(), problems=(problem,)))
    assert shown.message == "No model serves on this device."
    assert shown.refused[0].word == "NOT USED"
    assert "[U+202E]" in shown.refused[0].detail
    named = one(replace(chest_card, name="a\u202eb"), stepped_back="it \u200bfailed")
    assert "\u202e" not in named.title
    assert "[U+200B]" in named.note


def test_until_it_is_known_the_page_claims_nothing() -> None:
    for shown in (being_checked(), not_checked("The disk is gone.")):
        assert shown.models == ()
        assert shown.message
    assert "The disk is gone." in not_checked("The disk is gone.").message
