# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.finding import Code
from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice, Decision
from ui.advice_words import (
    ADVICE,
    CRITERIA,
    LABELS,
    MEANINGS,
    NOT_TAKEN,
    REASONS,
    TRIED_AGAIN,
    advice_in_words,
    criterion_title,
    label_in_words,
    meaning_in_words,
    reason_in_words,
)
from ui.decision_state import KEEP_REASONS, decision_of
from ui.findings_state import findings_of
from ui.language import tr, use_language
from ui.verdict_state import VerdictKind, VerdictState, verdict_of

APPLIANCE = Path(__file__).parents[2] / "appliance"
CUT = "Right base cut off, 12 mm at the detector. Lower the detector 3 cm."


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


@pytest.fixture(scope="module")
def sources() -> str:
    texts = (file.read_text(encoding="utf-8") for file in sorted(APPLIANCE.glob("**/*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", "".join(texts))


def test_every_criterion_of_the_appliance_has_a_name(sources: str) -> None:
    called = r"\b(?:at_most|said|not_checked)\(\s*\"([a-z_]+)\""
    named = set(re.findall(called, sources)) | set(re.findall(r"criterion=\"([a-z_]+)\"", sources))
    assert named == set(CRITERIA)
    assert {criterion for criterion, _ in ADVICE} <= named


def test_sentences_taken_from_the_appliance_are_still_its_sentences(sources: str) -> None:
    ours = {TRIED_AGAIN, NOT_TAKEN}
    assert [text for text in (*REASONS, *LABELS) if f'"{text}"' not in sources and text not in ours] == []


def test_every_label_of_a_shipped_model_has_a_name() -> None:
    triage = ("chest_triage", "fracture_triage")
    codes = [
        found
        for model in triage
        for found in re.findall(
            r'\[labels\.code\]\nvalue = "(.*)"\nscheme = "(.*)"\nmeaning = "(.*)"',
            (APPLIANCE / "models_shipped" / model / "card.toml").read_text(encoding="utf-8"),
        )
    ]
    assert len(codes) >= 5
    for value, scheme, meaning in codes:
        assert MEANINGS[value, scheme] == meaning


def test_known_advice_is_translated_with_the_original_below(make: Any) -> None:
    cut = make.check("field_of_view", Verdict.REPEAT, CUT, 12.0, "mm", 0.0)
    assert advice_in_words(cut) == (CUT, "")
    use_language("fr")
    assert advice_in_words(cut) == ("Coupé au bord. Corriger la position et refaire.", CUT)
    assert criterion_title("field_of_view") == "Champ de vue"


def test_unknown_advice_stays_as_it_is(make: Any) -> None:
    use_language("fr")
    new = make.check("a_new_one", Verdict.REPEAT, "Do it again.")
    assert advice_in_words(new) == ("Do it again.", "")
    assert criterion_title("a_new_one") == "A new one"
    assert reason_in_words("Side views are not supported.") == "Side views are not supported."
    assert label_in_words("costophrenic angle") == "costophrenic angle"
    assert meaning_in_words(Code(value="1", scheme="SCT", meaning="Nodule")) == "Nodule"
    use_language("ar")
    assert reason_in_words("x\u202ey") == "\u2068x[U+202E]y\u2069"


@pytest.mark.parametrize(("deviation", "words"), [(-2.0, "Sous-exposé"), (2.0, "Surexposé")])
def test_exposure_says_which_way(make: Any, deviation: float, words: str) -> None:
    use_language("fr")
    check = make.check("exposure", Verdict.CHECK, "…", deviation, "1", 1.0)
    assert advice_in_words(check)[0].startswith(words)


def test_known_names_and_reasons_are_translated() -> None:
    use_language("es")
    assert (
        meaning_in_words(Code(value="60046008", scheme="SCT", meaning="Pleural effusion"))
        == "Derrame pleural"
    )
    assert label_in_words("cut off") == "cortado"
    assert reason_in_words(REASONS[0]) == "No hay modelo instalado para esta tarea."


@pytest.mark.parametrize("code", ["en", "sw", "ar"])
def test_the_store_is_told_in_english(clinic: Any, make: Any, code: str) -> None:
    use_language(code)
    job = clinic.land("a")
    clinic.answer(
        job, quality=clinic.quality(make.check("field_of_view", Verdict.REPEAT, CUT, 12.0, "mm", 0.0))
    )
    exam = clinic.read().exams[0]
    findings = findings_of(exam, ai_down=None)
    verdict = verdict_of(exam, findings, checker_down=None, now_ns=clinic.clock.monotonic_ns())
    assert verdict.recorded == CUT
    assert decision_of(None, verdict).repeat_reason == CUT
    assert (verdict.cause == CUT) is (code == "en")


@pytest.mark.parametrize("code", ["en", "pt", "ar"])
def test_a_stored_reason_is_shown_in_the_language_of_the_screen(code: str) -> None:
    use_language(code)
    verdict = VerdictState(kind=VerdictKind.REPEAT, word="", cause="said here", recorded=CUT)
    for stored, shown in ((KEEP_REASONS[1], tr(KEEP_REASONS[1])), (CUT, "said here"), ("Typed", "Typed")):
        decision = Decision(
            acquisition_id="a",
            version=1,
            choice=Choice.KEEP,
            reason=stored,
            decision_id=1,
            decided_at_utc="2026-03-02T08:42:00+00:00",
        )
        assert shown in decision_of(decision, verdict).decided
