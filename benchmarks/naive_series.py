# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A CT series in the pipeline that one would write first: read it all, measure it, denoise slice by slice.

It does less than the appliance: nothing bounds what the network may change, and the new slices carry new
UIDs and their pixels, but no references to their sources.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import generate_uid
from scipy import ndimage

from appliance.clock import Clock
from appliance.pipeline.spans import Spans
from benchmarks.naive_models import NaiveModel

Volume = NDArray[np.float64]
SOFT_TISSUE_HU: Final = (0.0, 100.0)
AIR_HU: Final = -900.0
METAL_HU: Final = 3000.0


def read_series(paths: list[Path], spans: Spans) -> tuple[list[FileDataset], Volume]:
    """Headers and HU, in order of position."""
    with spans.stage("decode"):
        datasets = sorted(
            (dcmread(path) for path in paths), key=lambda one: float(one.ImagePositionPatient[2])
        )
        volume = np.stack(
            [np.asarray(apply_modality_lut(one.pixel_array, one), dtype=np.float64) for one in datasets]
        )
    return datasets, volume


def measure_series(datasets: list[FileDataset], volume: Volume, spans: Spans) -> dict[str, Any]:
    """The criteria of the appliance's quality lane for series, measured plainly."""
    with spans.stage("measure"):
        positions = np.array([float(one.ImagePositionPatient[2]) for one in datasets])
        noise: list[float] = []
        edges: list[int] = []
        for hu in volume:
            soft = ndimage.binary_erosion((hu > SOFT_TISSUE_HU[0]) & (hu < SOFT_TISSUE_HU[1]), iterations=2)
            mean = ndimage.uniform_filter(hu, 5)
            deviation = np.sqrt(np.maximum(ndimage.uniform_filter(hu * hu, 5) - mean * mean, 0))
            noise.append(float(np.median(deviation[soft])) if soft.any() else float("nan"))
            border = np.concatenate((hu[0], hu[-1], hu[:, 0], hu[:, -1]))
            edges.append(int(np.count_nonzero(border > AIR_HU)))
        jumps = np.abs(np.diff(volume, axis=0)).mean(axis=(1, 2))
        return {
            "slices": len(datasets),
            "largest_gap_mm": float(np.abs(np.diff(positions)).max()),
            "noise_hu": float(np.nanmedian(noise)),
            "at_the_edge_px": max(edges),
            "largest_jump_hu": float(jumps.max()),
            "metal_part": float(np.mean(volume > METAL_HU)),
            "air_hu": float(np.percentile(volume, 5)),
        }


def denoise_series(
    datasets: list[FileDataset], volume: Volume, model: NaiveModel, out: Path, clock: Clock, spans: Spans
) -> int:
    """Write the denoised series into `out`. Returns the monotonic time of the first slice on disk."""
    out.mkdir(parents=True, exist_ok=True)
    with spans.stage("session"):
        session = onnxruntime.InferenceSession(model.onnx)
    series = generate_uid()
    first_ns: int | None = None
    for number, (dataset, hu) in enumerate(zip(datasets, volume, strict=True)):
        with spans.stage("infer"):
            denoised = session.run(None, {model.input_name: hu[None, None].astype(np.float32)})[0][0, 0]
        with spans.stage("write"):
            stored = (denoised - float(dataset.RescaleIntercept)) / float(dataset.RescaleSlope)
            top = 2 ** int(dataset.BitsStored) - 1
            dataset.PixelData = np.clip(np.rint(stored), 0, top).astype(np.uint16).tobytes()
            dataset.SeriesInstanceUID, dataset.SOPInstanceUID = series, generate_uid()
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
            dataset.save_as(out / f"{number:04d}.dcm")
        first_ns = first_ns or clock.monotonic_ns()
    assert first_ns is not None
    return first_ns
