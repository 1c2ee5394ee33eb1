# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Kind,
    Patient,
    PixelFormat,
    SeriesCounts,
    SliceRef,
    Urgency,
)
from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain
from appliance.layout import Layout
from tests.tiny_bundles import keys_folder

REPOSITORY = Path(__file__).resolve().parents[1]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["SCANSIDE__MODEL_KEYS"] = str(keys_folder())  # the bundles of the tests are signed like any other


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; the test is skipped where there is none."""
    folder = Path(os.environ.get("SCANSIDE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "ct").is_dir():
        pytest.skip(f"no real images at {folder}: set SCANSIDE_DATA to the folder that holds them")
    return folder


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty data folder, as the appliance makes it."""
    made = Layout(data=tmp_path / "data")
    made.create()
    return made


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    """A test that leaves a thread running fails: on the device it would be a leak."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert not left, f"threads still running: {left}"


@pytest.fixture(scope="session")
def make_instance() -> Callable[..., Instance]:
    """A header made of nothing but what the test says; all the rest is unknown."""

    def unknown(noun: type[Any], **known: Any) -> Any:
        return noun(**{field.name: None for field in fields(noun)} | known)

    def build(
        *,
        patient: dict[str, Any] | None = None,
        geometry: dict[str, Any] | None = None,
        pixels: dict[str, Any] | None = None,
        **known: Any,
    ) -> Instance:
        native = {
            "transfer_syntax_uid": "1.2.840.10008.1.2.1",
            "rows": 512,
            "columns": 512,
            "number_of_frames": 1,
            "samples_per_pixel": 1,
            "photometric_interpretation": "MONOCHROME2",
            "bits_allocated": 16,
            "bits_stored": 12,
            "pixel_representation": 0,
        }
        header: dict[str, Any] = {
            "path": Path("spool/00"),
            "sha256": "0" * 64,
            "study_instance_uid": "1.2.3",
            "series_instance_uid": "1.2.3.4",
            "sop_instance_uid": "1.2.3.4.5",
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1",
            "modality": "DX",
            "image_type": ("ORIGINAL", "PRIMARY"),
            "pixels": PixelFormat(**native | (pixels or {})),
            "patient": unknown(Patient, **(patient or {})),
            "exposure": unknown(Exposure),
            "geometry": unknown(Geometry, **{"frame_positions_mm": ()} | (geometry or {})),
            "equipment": unknown(Equipment),
            "counts": unknown(SeriesCounts),
        }
        instance: Instance = unknown(Instance, **header | known)
        return instance

    return build


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


@pytest.fixture(scope="session")
def denoise_card() -> ModelCard:
    """Slices in multiples of four."""
    port = {"shape": ["batch", 1, "rows", "columns"], "dtype": "float32"}
    return from_plain(
        ModelCard,
        {
            "format": 1,
            "task": "ct_denoise",
            "name": "denoiser",
            "version": "1.0",
            "release": 1,
            "summary": "",
            "precision": "f32",
            "inputs": [port | {"name": "slice"}],
            "outputs": [port | {"name": "denoised"}],
            "preprocessing": {"kind": "slice", "multiple_of_px": 4},
            "labels": [],
            "intended_use": {
                "modalities": ["CT"],
                "body_parts": [],
                "view_positions": [],
                "draws_location": False,
            },
            "provenance": {"training_data": [], "licence": "", "restrictions": "", "known_biases": []},
            "metrics": [],
        },
    )


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
