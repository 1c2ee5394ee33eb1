# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How far activations reach: the one number per tensor that a symmetric int8 scale is made of.

Everything is read from one histogram per tensor, collected in one pass over the calibration set. The
histograms, the entropy search and the percentile are ONNX Runtime's; min-max and the mean squared error
are read off the same histograms.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization.calibrate import HistogramCollector

from appliance.errors import InputError
from export.session import GraphSession, Tensors

MIN_MAX: Final = "min-max"
ENTROPY: Final = "entropy"
PERCENTILE: Final = "percentile"
MSE: Final = "mse"
METHODS: Final = (MIN_MAX, ENTROPY, PERCENTILE, MSE)
BINS: Final = 2001
"""Of the histogram of the first image, zero in the middle of the middle one; later images may add more."""
ENTROPY_BINS: Final = 400
"""Of absolute values, for the entropy search, whose time grows with their square: three per int8 code."""
LEVELS: Final = 255
"""Codes of symmetric int8: -127 to 127 (NVIDIA, Wu et al. 2020, "Integer quantization for deep learning
inference", section 3.1: -128 is not used)."""
LARGEST_CODE: Final = 127
PERCENT: Final = 99.99
"""Of absolute values: the middle of the three that Wu et al. 2020 compare (99.9, 99.99, 99.999)."""
MSE_CANDIDATES: Final = 100
"""Ranges that are tried between a hundredth of the largest value and all of it."""

Ranges: TypeAlias = "Mapping[str, float]"
"""Tensor name to the absolute value that becomes code 127."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActivationHistogram:
    """How often which value occurred in one tensor, over the whole calibration set."""

    count: NDArray[np.int64]
    """Per bin; the bins lie symmetrically around zero."""
    edges: NDArray[np.float64]
    """One more than bins."""
    low: float
    high: float

    @property
    def largest(self) -> float:
        """The largest absolute value that occurred."""
        return max(abs(self.low), abs(self.high))

    @property
    def folded(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The histogram of absolute values: counts, and edges from 0 on."""
        middle = len(self.count) // 2
        count = self.count[middle:].copy()
        count[1:] += self.count[:middle][::-1]
        return count, np.maximum(self.edges[middle:], 0.0)

    def beyond(self, limit: float) -> float:
        """The share of values that a range of +-limit clips, to the width of a bin."""
        centre = np.abs((self.edges[1:] + self.edges[:-1]) / 2)
        return float(self.count[centre > limit].sum() / max(int(self.count.sum()), 1))


def _collector(method: str) -> HistogramCollector:
    return HistogramCollector(
        method=method,
        symmetric=True,
        num_bins=BINS,
        num_quantized_bins=LEVELS,
        percentile=PERCENT,
        scenario="same",
    )


def _silent() -> contextlib.redirect_stdout[io.StringIO]:
    """The library prints its progress; a command's output is not its place."""
    return contextlib.redirect_stdout(io.StringIO())


class ActivationStatistics:
    """The histograms of all inner tensors that were asked for."""

    def __init__(self, collected: Mapping[str, Any], *, images: int) -> None:
        self.images = images
        self.tensors: Mapping[str, ActivationHistogram] = {
            name: ActivationHistogram(
                count=np.asarray(count, np.int64),
                edges=np.asarray(edges, np.float64),
                low=float(low),
                high=float(high),
            )
            for name, (count, edges, low, high, _) in collected.items()
        }

    def ranges(self, method: str) -> Ranges:
        """A range for each tensor, by one of METHODS. A tensor that is zero throughout gets none."""
        choose = {
            MIN_MAX: self._min_max,
            ENTROPY: self._entropy,
            PERCENTILE: self._percentile,
            MSE: self._mse,
        }[method]
        return {name: choose(name) for name, item in self.tensors.items() if item.largest > 0}

    def _min_max(self, name: str) -> float:
        return self.tensors[name].largest

    def _entropy(self, name: str) -> float:
        """The range whose quantised histogram loses least information (Migacz 2017, by ONNX Runtime).

        The bin around zero gets the count of its neighbour first, as in NVIDIA's quantisation toolkit:
        after a ReLU half of all values are exactly 0, which int8 represents exactly, and the search would
        see little else.
        """
        item = self.tensors[name]
        folded, edges = item.folded
        merged = -(-len(folded) // ENTROPY_BINS)
        padded = np.pad(folded, (0, -len(folded) % merged)).reshape(-1, merged).sum(axis=1)
        padded[0] = padded[1] if len(padded) > 1 else padded[0]
        limits = np.arange(len(padded) + 1) * (edges[-1] / len(folded) * merged)
        count = np.concatenate([padded[::-1], padded[:1], padded])
        both = np.concatenate([-limits[::-1], limits])
        _, high = _collector(ENTROPY).get_entropy_threshold((count, both, -both[-1], both[-1]), LEVELS)
        return self._at_least_one_code(name, min(float(high), item.largest))

    def _percentile(self, name: str) -> float:
        item = self.tensors[name]
        folded, edges = item.folded
        collector = _collector(PERCENTILE)
        collector.histogram_dict = {name: (folded, edges, -item.largest, item.largest)}
        with _silent():
            _, high, *_ = collector.compute_percentile()[name]
        return self._at_least_one_code(name, float(high))

    def _mse(self, name: str) -> float:
        """The range with the smallest mean squared error of rounding and clipping, over the histogram.

        Rounding to steps of s costs s^2 / 12 per value (evenly spread within a step), clipping the square
        of what lies beyond; exact zeros, in the middle bin, cost nothing (Banner et al., NeurIPS 2019,
        section 3, with the histogram in place of their Laplace distribution).
        """
        item = self.tensors[name]
        value = np.abs((item.edges[1:] + item.edges[:-1]) / 2)
        rounded = item.count.copy()
        rounded[len(rounded) // 2] = 0
        best, best_error = item.largest, np.inf
        for limit in np.linspace(item.largest / MSE_CANDIDATES, item.largest, MSE_CANDIDATES):
            step = limit / LARGEST_CODE
            clipping = (item.count * np.square(np.maximum(value - limit, 0))).sum()
            error = float(clipping + rounded[value <= limit].sum() * step**2 / 12)
            if error < best_error:
                best, best_error = float(limit), error
        return best

    def _at_least_one_code(self, name: str, limit: float) -> float:
        """A range of zero has no scale: the smallest one keeps the largest value within int8 steps of it."""
        return max(limit, self.tensors[name].largest / LARGEST_CODE)


def collect(
    model: onnx.ModelProto, tensors: Sequence[str], inputs: Iterable[Tensors]
) -> ActivationStatistics:
    """One pass over the inputs. Raises InputError when there are none, or when a tensor is not finite."""
    session = GraphSession(model, inner=tensors)
    graph_inputs = {value.name for value in model.graph.input}
    collector = _collector(ENTROPY)
    images = 0
    for item in inputs:
        values = session.run(item) | {name: item[name] for name in graph_inputs.intersection(tensors)}
        images += len(next(iter(item.values())))
        for name in tensors:
            if not np.isfinite(values[name]).all():
                raise InputError(
                    f"Image {images} of the calibration set makes {name!r} overflow.",
                    remedy="Look at that image: its values are not what the model expects.",
                )
        with _silent():
            collector.collect({name: values[name].astype(np.float32) for name in tensors})
    if not images:
        raise InputError("The calibration set holds no image.", remedy="Give a folder with a manifest.")
    return ActivationStatistics(collector.get_histogram_dict(), images=images)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodError:
    """What quantising with the ranges of one method costs."""

    method: str
    relative_error: Mapping[str, float]
    """By output, relative L2 to the float32 answer, on images that the ranges were not made from."""
    clipped: float
    """Share of all calibration values beyond their range."""

    @property
    def worst(self) -> float:
        """Of all outputs."""
        return max(self.relative_error.values())


def rank(table: Iterable[MethodError]) -> Iterator[MethodError]:
    """The methods, the smallest worst output error first."""
    return iter(sorted(table, key=lambda row: row.worst))
