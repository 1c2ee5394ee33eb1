# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The denoising task: which series it takes, and what of the network's answer is let through."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition, Instance, Kind
from appliance.domain.card import ModelCard
from appliance.domain.finding import Refusal
from appliance.domain.image import GreyArray, PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape
from appliance.engines.base import Tensors
from appliance.engines.checked import fit_output
from appliance.errors import EngineError, InputError
from appliance.tasks.admission import reason_against
from appliance.tasks.base import Frame
from appliance.tasks.ct_denoise.noise_bound import bounded, noise_sd
from appliance.tasks.ct_denoise.structure import outlines, with_original_structure
from appliance.tasks.slice_tensor import HIGHEST_HU, LOWEST_HU, slice_tensor

NAME: Final = "ct_denoise"
SLICE: Final = "slice"
DENOISED: Final = "denoised"
LARGEST_SHIFT_HU: Final = 3.0
"""The mean of what was changed in a slice. Noise has no mean; a shift would be a wrong CT number. Water is
held to 4 HU on scanners (ACR CT accreditation: 0 +- 5 HU)."""
KEPT: Final = "original kept"
"""What the screen writes at a place that was not denoised."""
HOUNSFIELD: Final = frozenset({None, "HU", "HU_MOD"})
"""RescaleType of CT numbers; for CT, none at all means HU (PS3.3 C.8.2.1.1.2)."""
CT_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.2"


class CtDenoise:
    """A FrameTask."""

    name = NAME
    lane = Lane.DENOISE
    model: str | None = NAME

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `FrameTask.accepts`."""
        reason = reason_against(acquisition, card, Kind.VOLUME, silence_refuses=False) or next(
            (words for instance in acquisition.instances if (words := _instance_reason(instance))), None
        )
        return None if reason is None else Refusal(task=self.name, reason=reason)

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """`slice`: float32 [1, 1, rows, columns] in HU, padded by reflection to the card's multiple."""
        del acquisition
        if card is None:
            return {}
        if image.rescale_type not in HOUNSFIELD:
            raise InputError(
                f"The values of this series are {image.rescale_type}, not HU: it is not denoised.",
                remedy="Nothing is wrong with the original; it is read as usual.",
            )
        return {SLICE: slice_tensor(image.grey(), multiple_of_px=card.preprocessing.multiple_of_px)}

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Frame:
        """The denoised slice in HU; padding and values that are no CT numbers are those of the original.

        So is every place where what would be changed is not noise; each is outlined.
        Raises EngineError when the network's answer is broken or shifts CT numbers.
        """
        del acquisition, card
        rows, columns = image.shape
        answer = fit_output(outputs, DENOISED, (1, 1, None, None))[0, 0]
        if answer.shape[0] < rows or answer.shape[1] < columns:
            raise EngineError(
                f"The denoised slice has the shape {list(answer.shape)}, not {[rows, columns]}.",
                remedy="The slice is withheld; the next engine takes over.",
            )
        grey = image.grey()
        real = _has_ct_numbers(image, grey)
        known = np.where(real, grey, np.float32(LOWEST_HU))
        noise = noise_sd(known)
        wished = bounded(answer[:rows, :columns], known, noise)
        shift = float((wished - known)[real].mean()) if real.any() else 0.0
        if abs(shift) > LARGEST_SHIFT_HU:
            raise EngineError(
                f"The denoiser shifted the CT numbers by {shift:.1f} HU; {LARGEST_SHIFT_HU:g} HU is allowed.",
                remedy="The series is not denoised; the original is untouched.",
            )
        guarded = with_original_structure(wished, known, noise)
        denoised = np.where(real, guarded.slice_hu, grey)
        denoised.flags.writeable = False
        marks = tuple(
            Mark(label=KEPT, shape=MarkShape.POLYGON, points_px=outline)
            for outline in outlines(guarded.kept & real)
        )
        return Frame(values=denoised, marks=marks)


def _has_ct_numbers(image: PixelImage, grey: GreyArray) -> NDArray[np.bool_]:
    real: NDArray[np.bool_] = (grey >= LOWEST_HU) & (grey <= HIGHEST_HU)  # false for NaN too
    padding = image.padding_mask()
    return real if padding is None else real & ~padding


def _instance_reason(instance: Instance) -> str | None:
    if instance.sop_class_uid != CT_IMAGE_STORAGE or (
        instance.pixels and instance.pixels.number_of_frames != 1
    ):
        return "Only series of single CT images are denoised, not enhanced or converted ones."
    if instance.pixels and instance.pixels.photometric_interpretation != "MONOCHROME2":
        return "The grey values are inverted; CT numbers cannot be read from them."
    if "LOCALIZER" in instance.image_type:
        return "This is a localizer, not a CT slice."
    if instance.image_type[:1] == ("DERIVED",):
        return "This series was itself made from other images; only originals are denoised."
    return None
