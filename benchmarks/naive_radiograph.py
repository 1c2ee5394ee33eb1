# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A radiograph in the pipeline that one would write first: every step by the textbook call.

pydicom's `pixel_array`, `apply_modality_lut` and `apply_voi_lut`; float64 images at full resolution;
scikit-image and SciPy to measure and to resize; an `InferenceSession` with default options per file. It
answers the same questions as the appliance, with the same networks; it keeps no original, survives no
power cut, draws no heatmap and lays out nothing for a screen, all of which the appliance does in the time
that it is compared by.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import HTJ2KLossless
from scipy import ndimage
from skimage import filters, measure, transform

from appliance.pipeline.spans import Spans
from benchmarks.naive_models import NaiveModel

Image = NDArray[np.float64]
VIEW: Final = "radiograph_view"
"""The network that says which body part and view a radiograph shows."""
MAD_TO_SIGMA: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def read_radiograph(path: Path, spans: Spans) -> tuple[FileDataset, Image]:
    """Header and grey values as displayed, higher is brighter."""
    with spans.stage("decode"):
        dataset = dcmread(path)
        stored = stored_values(dataset)
    with spans.stage("display"):
        shown = np.asarray(apply_voi_lut(apply_modality_lut(stored, dataset), dataset), dtype=np.float64)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            shown = shown.max() - shown
    return dataset, shown


def stored_values(dataset: FileDataset) -> NDArray[Any]:
    """`pixel_array`; for HTJ2K by OpenJPEG, the codec that pydicom's own plugin for it uses."""
    if dataset.file_meta.TransferSyntaxUID == HTJ2KLossless:
        decoded: NDArray[Any] = imagecodecs.jpeg2k_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
        return decoded
    return dataset.pixel_array


def measure_quality(
    dataset: FileDataset, shown: Image, model: NaiveModel | None, spans: Spans
) -> dict[str, Any]:
    """The criteria of the appliance's quality lane, measured plainly at full resolution."""
    with spans.stage("measure"):
        smooth = ndimage.gaussian_filter(shown, 2.0)
        residual = shown - smooth
        bright = smooth > filters.threshold_otsu(smooth)  # type: ignore[no-untyped-call]  # no stubs exist
        labels = measure.label(bright)  # type: ignore[no-untyped-call]  # no stubs exist
        regions = measure.regionprops(labels)  # type: ignore[no-untyped-call]  # no stubs exist
        largest = max(regions, key=lambda region: region.area)
        row_means, column_means = residual.mean(axis=1), residual.mean(axis=0)
        measured = {
            "identity": bool(str(dataset.get("PatientID", "")) and str(dataset.get("PatientName", ""))),
            "view": str(dataset.get("ViewPosition", "")),
            "deviation_index": float(dataset.get("DeviationIndex", "nan")),
            "field_px": [int(edge) for edge in largest.bbox],
            "field_part": float(largest.area / shown.size),
            "saturated_part": float(np.mean((shown <= shown.min()) | (shown >= shown.max()))),
            "noise": float(residual.std()),
            "sharpness": float(np.var(ndimage.laplace(shown))),
            "lines": int(_outliers(row_means) + _outliers(column_means)),
            "spread": float(np.std(shown)),
        }
    if model is not None:
        outputs = classify(shown, model, spans)
        measured["view_logits"] = [float(value) for value in np.ravel(outputs[0])]
    return measured


def _outliers(means: Image) -> int:
    steps = np.abs(means - ndimage.median_filter(means, 9))
    return int(np.count_nonzero(steps > 6 * MAD_TO_SIGMA * np.median(steps)))


def triage(shown: Image, model: NaiveModel, spans: Spans) -> dict[str, float]:
    """Probability by label."""
    logits = np.ravel(classify(shown, model, spans)[0])
    return {
        label.name: float(1 / (1 + np.exp(-(label.scale * logit + label.shift))))
        for label, logit in zip(model.labels, logits, strict=True)
    }


def classify(shown: Image, model: NaiveModel, spans: Spans) -> list[NDArray[np.float32]]:
    """All outputs of a network that takes a letterboxed square."""
    with spans.stage("prepare"):
        square = letterbox(shown, model)
    with spans.stage("session"):
        session = onnxruntime.InferenceSession(model.onnx)
    with spans.stage("infer"):
        outputs: list[NDArray[np.float32]] = session.run(None, {model.input_name: square})
    return outputs


def letterbox(shown: Image, model: NaiveModel) -> NDArray[np.float32]:
    """Percentiles to 0..1, resized with anti-aliasing, centred on zeros."""
    assert model.size_px is not None
    assert model.low_percentile is not None
    assert model.high_percentile is not None
    low, high = np.percentile(shown, (model.low_percentile, model.high_percentile))
    scaled = np.clip((shown - low) / max(high - low, 1e-9), 0, 1)
    fit = model.size_px / max(shown.shape)
    rows, columns = round(shown.shape[0] * fit), round(shown.shape[1] * fit)
    small = transform.resize(  # type: ignore[no-untyped-call]  # no stubs exist
        scaled, (rows, columns), anti_aliasing=True
    )
    square = np.zeros((1, 1, model.size_px, model.size_px), dtype=np.float32)
    top, left = (model.size_px - rows) // 2, (model.size_px - columns) // 2
    square[0, 0, top : top + rows, left : left + columns] = small
    return square
