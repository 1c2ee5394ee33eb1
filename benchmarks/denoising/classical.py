# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Classical filters for noise, each with the settings that are tried for it.

Strengths are in units of the slice's own noise (`noise_level`), so that a setting that was found on some
slices can hold for others. All compute with one thread. BM3D is not among them: its package forbids
commercial use and takes half a minute for a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from scipy.signal import wiener
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from export.reference.denoiser_quality import body, nlm16, psnr_db
from export.reference.denoiser_sets import Pair
from export.reference.low_dose import FloatArray, noise_level

Setting = tuple[float, ...]
NLM_PATCH_PX: Final = 5
NLM_DISTANCE_PX: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter. Every setting is tried; the names are those of its parts."""

    filter: Callable[[FloatArray, Setting], FloatArray]
    parts: tuple[str, ...]
    settings: tuple[Setting, ...]

    def words(self, setting: Setting) -> str:
        """For tables: "sigma_px 0.9"."""
        return ", ".join(f"{part} {value:g}" for part, value in zip(self.parts, setting, strict=True))

    @property
    def middle(self) -> Setting:
        """What is timed where there is nothing to tune on."""
        return self.settings[len(self.settings) // 2]


def _gaussian(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(slice_hu, (0, 0), setting[0]), np.float32)


def _median(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    return np.asarray(cv2.medianBlur(slice_hu, int(setting[0])), np.float32)


def _wiener(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    side_px, strength = int(setting[0]), setting[1]
    variance = (strength * noise_level(slice_hu)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):  # padding has no variance; scipy replaces it after
        made = wiener(slice_hu.astype(np.float64), side_px, noise=variance)
    return np.asarray(made, np.float32)


def _bilateral(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    strength, reach_px = setting
    return np.asarray(
        cv2.bilateralFilter(slice_hu, -1, strength * noise_level(slice_hu), reach_px), np.float32
    )


def _tv(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    weight = setting[0] * noise_level(slice_hu)
    made = denoise_tv_chambolle(slice_hu, weight=weight)  # type: ignore[no-untyped-call] # it has no types
    return np.asarray(made, np.float32)


def _nlm(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    level = noise_level(slice_hu)
    made = denoise_nl_means(
        slice_hu,
        patch_size=NLM_PATCH_PX,
        patch_distance=NLM_DISTANCE_PX,
        h=setting[0] * level,
        sigma=setting[1] * level,
        fast_mode=True,
    )
    return np.asarray(made, np.float32)


def _nlm16(slice_hu: FloatArray, setting: Setting) -> FloatArray:
    return nlm16(slice_hu, setting[0])


def _each(values: Sequence[float]) -> tuple[Setting, ...]:
    return tuple((value,) for value in values)


FILTERS: Final = MappingProxyType(
    {
        "gaussian": Filter(
            filter=_gaussian, parts=("sigma_px",), settings=_each((0.4, 0.5, 0.65, 0.8, 1.0, 1.3))
        ),
        "median": Filter(filter=_median, parts=("side_px",), settings=_each((3, 5))),
        "wiener": Filter(
            filter=_wiener,
            parts=("side_px", "strength"),
            settings=tuple(product((3, 5, 7), (0.5, 0.7, 1.0, 1.5, 2.0))),
        ),
        "bilateral": Filter(
            filter=_bilateral,
            parts=("strength", "sigma_px"),
            settings=tuple(product((1.0, 1.5, 2.5, 4.0, 6.0), (0.8, 1.2, 1.8, 2.7))),
        ),
        "tv_chambolle": Filter(
            filter=_tv, parts=("strength",), settings=_each((0.2, 0.3, 0.5, 0.7, 1.0, 1.4))
        ),
        "nlm_skimage": Filter(
            filter=_nlm,
            parts=("strength", "sigma"),
            settings=tuple(product((0.45, 0.6, 0.8, 1.1, 1.5), (0.0, 1.0))),
        ),
        "nlm_16bit": Filter(
            filter=_nlm16, parts=("strength",), settings=_each((0.4, 0.55, 0.7, 0.9, 1.15, 1.5))
        ),
    }
)


def tuned(one: Filter, pairs: Sequence[Pair]) -> Setting:
    """The setting with the best mean PSNR on these pairs. Raises ValueError for none."""
    if not pairs:
        raise ValueError("There is nothing to tune on.")
    bodies = [body(pair.routine) for pair in pairs]

    def mean_db(setting: Setting) -> float:
        return float(
            np.mean(
                [
                    psnr_db(one.filter(pair.low, setting), pair.routine, inside)
                    for pair, inside in zip(pairs, bodies, strict=True)
                ]
            )
        )

    return max(one.settings, key=mean_db)
