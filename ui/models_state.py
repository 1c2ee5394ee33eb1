# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of models: what each is, who signed it, what it proved here, its limits. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.errors import ModelBundleError
from ui.device_state import DeviceLine, LineKind
from ui.language import tr
from ui.plain_text import LONGEST_SENTENCE, visible

if TYPE_CHECKING:
    from appliance.models.inventory import Answering, Inventory
    from appliance.models.passport import Passport


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCardState:
    """One model."""

    title: str
    identity: str
    """Task, version and release."""
    trust: DeviceLine
    fingerprint: str
    """All digits, for somebody who compares them."""
    passports: tuple[DeviceLine, ...]
    limits: DeviceLine
    """What must not be done with it."""
    thresholds: tuple[str, ...]
    """One line per label."""
    note: str
    """Why it is not the one that was chosen; "" when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsState:
    """The page."""

    models: tuple[ModelCardState, ...]
    refused: tuple[DeviceLine, ...]
    message: str
    """Instead of models: they are being checked, or could not be."""


def being_checked() -> ModelsState:
    """Until the answer is there."""
    return ModelsState(models=(), refused=(), message=tr("Checking the signatures…"))


def not_checked(what: str) -> ModelsState:
    """The look itself failed."""
    why = visible(what, limit=LONGEST_SENTENCE)
    return ModelsState(models=(), refused=(), message=tr("The models could not be checked. {why}", why=why))


def models_state(inventory: Inventory) -> ModelsState:
    """The page for what was found."""
    return ModelsState(
        models=tuple(_model(model) for model in inventory.models),
        refused=tuple(_refused(problem) for problem in inventory.problems),
        message="" if inventory.models else tr("No model serves on this device."),
    )


def _model(model: Answering) -> ModelCardState:
    from appliance.models.keys import grouped  # noqa: PLC0415  (cryptography; who has a model has it, too)

    card = model.card
    task = visible(card.task).replace("_", " ")
    return ModelCardState(
        title=visible(card.name),
        identity=tr(
            "{task}, version {version}, release {release}",
            task=task,
            version=visible(card.version),
            release=card.release,
        ),
        trust=_trust(model),
        fingerprint="" if model.signer is None else grouped(model.signer.fingerprint),
        passports=tuple(_passports(model.passports)),
        limits=_limits(card.provenance.restrictions),
        thresholds=tuple(
            tr(
                "{label}: medium from {low}, high from {high}",
                label=visible(label.code.meaning),
                low=f"{label.sensitive_threshold:.2f}",
                high=f"{label.specific_threshold:.2f}",
            )
            for label in card.labels
        ),
        note=visible(model.stepped_back, limit=LONGEST_SENTENCE),
    )


def _trust(model: Answering) -> DeviceLine:
    """Trusted is what was verified just now, and nothing else."""
    subject = tr("Signature")
    if model.signer is None:
        return DeviceLine(
            subject=subject,
            kind=LineKind.UNKNOWN,
            word=tr("NOT VERIFIED"),
            advice=tr("Nobody signed this model. Call service."),
        )
    who = visible(model.signer.name)
    return DeviceLine(
        subject=subject,
        kind=LineKind.OK,
        word=tr("TRUSTED"),
        detail=tr("Signed by {name}, checked just now", name=who),
    )


def _passports(passports: tuple[Passport, ...]) -> Iterator[DeviceLine]:
    subject = tr("Passport")
    if not passports:
        yield DeviceLine(
            subject=subject, kind=LineKind.UNKNOWN, word=tr("none yet on this device"), detail=""
        )
    for passport in passports:
        times = " / ".join(_number(value) for value in (passport.p50_ms, passport.p95_ms, passport.p99_ms))
        parts = [
            tr(
                "off by {worst}, allowed {limit}",
                worst=_number(passport.worst_difference),
                limit=_number(passport.tolerance),
            ),
            _flips(passport),
            tr("p50 / p95 / p99: {times} ms", times=times),
            tr("made {date}", date=visible(passport.made_at_utc[:10])),
        ]
        yield DeviceLine(
            subject=subject, kind=LineKind.OK, word=visible(passport.words), detail="  ·  ".join(parts)
        )


def _flips(passport: Passport) -> str:
    if passport.decisions is None:
        return tr("decides nothing")
    flipped = "?" if passport.flipped is None else str(passport.flipped)
    return tr("{flipped} of {count} decisions flipped", flipped=flipped, count=passport.decisions)


def _limits(restrictions: str) -> DeviceLine:
    subject = tr("Restrictions")
    if not restrictions:
        return DeviceLine(subject=subject, kind=LineKind.UNKNOWN, word=tr("none named"))
    words = visible(restrictions, limit=LONGEST_SENTENCE)
    return DeviceLine(subject=subject, kind=LineKind.ATTENTION, word=tr("RESTRICTED"), advice=words)


def _refused(problem: ModelBundleError) -> DeviceLine:
    return DeviceLine(
        subject=tr("Refused"),
        kind=LineKind.ATTENTION,
        word=tr("NOT USED"),
        detail=visible(problem.what, limit=LONGEST_SENTENCE),
        advice=visible(problem.remedy, limit=LONGEST_SENTENCE),
    )


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"
