# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A NIfTI file as an acquisition, for the one-shot command."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from appliance.domain.acquisition import Acquisition, Completeness, Kind, SliceRef, Urgency
from appliance.errors import InputError
from appliance.intake.description import FileState
from appliance.intake.jail import Jail


def read_nifti(path: Path, jail: Jail, *, modality: str | None = None, sha256: str = "") -> Acquisition:
    """The volume in `path` (.nii or .nii.gz), complete by itself; frames come from `open_frames` as usual.

    The file cannot say what made it: `modality` ("CT") is what the user says, else "OT". Raises InputError
    where the file does not hold one volume.
    """
    description = jail.describe(path, sha256=sha256)
    instance = description.instance
    pixels = None if instance is None else instance.pixels
    if description.state is not FileState.WHOLE or instance is None or pixels is None:
        raise InputError(
            description.reason or "The file holds no volume.",
            remedy=description.remedy or "Export the volume again.",
        )
    if modality is not None:
        instance = dataclasses.replace(instance, modality=modality)
    through_plane_mm = instance.geometry.spacing_between_slices_mm
    return Acquisition(
        acquisition_id=instance.series_instance_uid,
        version=1,
        kind=Kind.VOLUME,
        completeness=Completeness.COMPLETE,
        evidence="A NIfTI file is one whole volume.",
        urgency=Urgency.LIVE,
        instances=(instance,),
        slices=tuple(
            SliceRef(
                instance=0,
                frame=frame,
                position_mm=None if through_plane_mm is None else frame * through_plane_mm,
            )
            for frame in range(pixels.number_of_frames)
        ),
    )
