# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Acquisitions of headers alone, and cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.domain.acquisition import Acquisition, Completeness, Instance, Kind, SliceRef, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain


@pytest.fixture
def make_acquisition(make_instance: Callable[..., Instance]) -> Callable[..., Acquisition]:
    """One acquisition; keywords go to the header of each of its instances."""

    def build(kind: Kind = Kind.PROJECTION, *, count: int = 1, **known: Any) -> Acquisition:
        instances = tuple(make_instance(**known) for _ in range(count))
        return Acquisition(
            acquisition_id="a",
            version=1,
            kind=kind,
            completeness=Completeness.COMPLETE,
            evidence="made by a test",
            urgency=Urgency.LIVE,
            instances=instances,
            slices=tuple(SliceRef(instance=i, frame=0, position_mm=float(i)) for i in range(count)),
        )

    return build


@pytest.fixture
def chest_card() -> ModelCard:
    """Two labels; adults, PA and AP, boxes drawn."""
    label = {"scale": 2.0, "shift": -1.0, "sensitive_threshold": 0.3, "specific_threshold": 0.7}
    return from_plain(
        ModelCard,
        {
            "format": 1,
            "task": "chest_triage",
            "name": "chest",
            "version": "1.0",
            "release": 1,
            "summary": "",
            "precision": "f32",
            "inputs": [{"name": "image", "shape": ["batch", 1, 320, 320], "dtype": "float32"}],
            "outputs": [
                {"name": "logits", "shape": ["batch", 2], "dtype": "float32"},
                {"name": "heatmap", "shape": ["batch", 2, 10, 10], "dtype": "float32"},
            ],
            "preprocessing": {
                "kind": "letterbox",
                "size_px": 320,
                "low_percentile": 0.5,
                "high_percentile": 99.5,
            },
            "labels": [
                label | {"name": name, "code": {"value": value, "scheme": "SCT", "meaning": name}}
                for name, value in (("Pleural effusion", "60046008"), ("Pneumothorax", "36118008"))
            ],
            "intended_use": {
                "modalities": ["CR", "DX"],
                "body_parts": ["CHEST"],
                "view_positions": ["PA", "AP"],
                "minimum_age_years": 18,
                "draws_location": True,
            },
            "provenance": {"training_data": [], "licence": "", "restrictions": "", "known_biases": []},
            "metrics": [],
        },
    )
