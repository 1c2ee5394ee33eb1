# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Three Hounsfield units of shift, or a softer picture, are seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("confidenceinterval")

from appliance.domain.card import ModelCard
from appliance.errors import InputError
from calibration.dataset import CalibrationSet
from calibration.sampling import make_set
from export.denoiser_gate import NPS_BINS, noise_power
from export.gate import Limits, gate
from tests.export.graphs import smoother
from tests.export.slices import NOISE_HU, body_slice, make_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> CalibrationSet:
    return make_pairs(tmp_path_factory.mktemp("slices"))


def test_the_same_denoiser_passes(tmp_path: Path, denoise_card: ModelCard, pairs: CalibrationSet) -> None:
    model = smoother(tmp_path / "a.onnx")
    report = gate(denoise_card, model, model, pairs)
    assert report.passed
    found = report.denoiser
    assert found is not None
    assert found.psnr_drop_db.value == pytest.approx(0.0, abs=1e-6)
    assert found.bias_change_hu.keys() == {"soft", "lung", "bone"}
    assert all(change is not None for change in found.bias_change_hu.values())
    assert found.noise_power is not None
    assert len(found.slices) == 8
    assert json.loads(json.dumps(report.as_gate(), allow_nan=False))["passed"] is True
    assert [metric.name for metric in report.metrics] == ["psnr_db lost to int8"]


def test_three_hounsfield_units_are_seen_in_every_tissue(
    tmp_path: Path, denoise_card: ModelCard, pairs: CalibrationSet
) -> None:
    models = smoother(tmp_path / "a.onnx"), smoother(tmp_path / "b.onnx", shift_hu=3.0)
    report = gate(denoise_card, *models, pairs, limits=Limits(psnr_drop_db=9.0))
    assert [reason.split(" shifts")[0] for reason in report.reasons] == [
        f"The mean of {tissue} tissue" for tissue in ("soft", "lung", "bone")
    ]
    assert "shifts by +3.00 HU" in report.reasons[0]


def test_a_softer_picture_is_a_drop_although_it_has_less_noise(
    tmp_path: Path, denoise_card: ModelCard, pairs: CalibrationSet
) -> None:
    models = smoother(tmp_path / "a.onnx", centre=0.4), smoother(tmp_path / "b.onnx")
    report = gate(denoise_card, *models, pairs)
    found = report.denoiser
    assert found is not None
    assert found.psnr_drop_db.low > 0.1
    assert any("PSNR drops" in reason for reason in report.reasons)
    assert found.noise_power is not None
    assert sum(found.noise_power.candidate_hu2px2) < sum(found.noise_power.fp32_hu2px2)


def test_few_slices_are_not_passed(tmp_path: Path, denoise_card: ModelCard, pairs: CalibrationSet) -> None:
    model = smoother(tmp_path / "a.onnx")
    report = gate(denoise_card, model, model, pairs, limits=Limits(least_slices=9))
    assert report.reasons == ("The set has 8 slices; 9 are needed.",)


def test_a_slice_without_its_reference_is_refused(tmp_path: Path, denoise_card: ModelCard) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "low.npy", body_slice(1)[0])
    lonely = make_set(tmp_path / "images", [{"file": "low.npy", "group": "a"}], tmp_path / "set")
    model = smoother(tmp_path / "a.onnx")
    with pytest.raises(InputError, match="has no reference"):
        gate(denoise_card, model, model, lonely)


def test_white_noise_has_the_same_power_at_every_frequency() -> None:
    noise = np.random.default_rng(2).normal(0, NOISE_HU, (512, 512)).astype(np.float32)
    power = noise_power(noise, np.ones((512, 512), bool))
    assert power is not None
    assert len(power) == NPS_BINS
    assert power[1:] == pytest.approx(np.full(NPS_BINS - 1, NOISE_HU**2), rel=0.1)
    assert noise_power(noise, np.zeros((512, 512), bool)) is None
