# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Looks into a file and says what it is: whole, unfinished or unusable. Runs inside the jail."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.domain.acquisition import Instance
from appliance.errors import InputError
from appliance.intake.decoders import refuse_unreadable_syntax
from appliance.intake.description import Description, FileState
from appliance.intake.extent import Extent, measure
from appliance.intake.header import is_image_class, object_kind, read_instance, read_pixel_format
from appliance.intake.header_values import uid
from appliance.intake.nifti_volume import describe_nifti, is_nifti
from appliance.intake.opening import CutShortError, DicomFile, parse, regular_file
from appliance.intake.pixels import refuse_unreadable_format

_WAIT: Final = "If it stays like this, send the image again from the modality."


def describe(path: Path, *, max_frame_bytes: int) -> Description:
    """Look into a file. Raises InputError only for what cannot be opened; the rest is in the answer."""
    with regular_file(path) as stream:
        size_bytes = stream.seek(0, 2)
        try:
            if is_nifti(path):
                return describe_nifti(path, max_frame_bytes=max_frame_bytes)
            return _describe(parse(stream, largest_inflated_bytes=max_frame_bytes), max_frame_bytes)
        except CutShortError:
            return _unfinished(
                None, f"The file ends inside its header, after {size_bytes:,} bytes.", size_bytes, None
            )
        except InputError as error:
            return Description(
                state=FileState.UNUSABLE, instance=None, reason=error.what, remedy=error.remedy
            )


def _describe(file: DicomFile, max_frame_bytes: int) -> Description:
    sop_class_uid = uid(file.dataset, "SOPClassUID")
    kind = _kind_left_alone(file, sop_class_uid)
    if file.cut_short or (sop_class_uid is None and kind is None and file.pixel_element is None):
        raise CutShortError
    if kind is not None:
        return _left_alone(file, kind, max_frame_bytes)
    if file.pixel_element is None:
        return _unfinished(
            None,
            "The header declares an image, but the file ends before its pixel data.",
            file.size_bytes,
            None,
        )
    pixels = read_pixel_format(file, max_frame_bytes=max_frame_bytes)
    instance = read_instance(file, pixels)
    extent = measure(file, pixels)
    if not extent.whole:
        return _unfinished(instance, _missing_words(extent), extent.present_bytes, extent.expected_bytes)
    refuse_unreadable_syntax(pixels.transfer_syntax_uid)
    refuse_unreadable_format(pixels, is_float=file.pixel_element.keyword != "PixelData")
    return Description(state=FileState.WHOLE, instance=instance, reason=None, remedy=None)


def _kind_left_alone(file: DicomFile, sop_class_uid: str | None) -> str | None:
    """What this is, where it holds no image to look at; None for images, whole or not."""
    if "DirectoryRecordSequence" in file.dataset:
        return "The index of a DICOM medium (DICOMDIR)"
    if sop_class_uid is None:
        return None
    kind = object_kind(sop_class_uid)
    if kind is None and not is_image_class(sop_class_uid):
        has_pixels = file.pixel_element is not None or "Rows" in file.dataset
        return None if has_pixels else "An object of an unknown kind"
    return kind


def _left_alone(file: DicomFile, kind: str, max_frame_bytes: int) -> Description:
    """An object without an image to look at; one that carries pixels all the same may still be unfinished."""
    instance: Instance | None = None
    with suppress(InputError):  # palettes, protocols and DICOMDIRs belong to no study
        instance = read_instance(file, None)
    if file.pixel_element is not None:
        with suppress(InputError):  # its pixels are nobody's business here
            extent = measure(file, read_pixel_format(file, max_frame_bytes=max_frame_bytes))
            if not extent.whole:
                return _unfinished(
                    instance, _missing_words(extent), extent.present_bytes, extent.expected_bytes
                )
    return Description(
        state=FileState.LEFT_ALONE,
        instance=instance,
        reason=f"{kind}: holds no image to check, left as it is.",
        remedy=None,
    )


def _unfinished(
    instance: Instance | None, reason: str, present_bytes: int, expected_bytes: int | None
) -> Description:
    return Description(
        state=FileState.UNFINISHED,
        instance=instance,
        reason=reason,
        remedy=_WAIT,
        present_bytes=present_bytes,
        expected_bytes=expected_bytes,
    )


def _missing_words(extent: Extent) -> str:
    if extent.expected_bytes is None:
        return f"The compressed pixel data have no end yet: {extent.present_bytes:,} bytes are there."
    return f"{extent.present_bytes:,} of {extent.expected_bytes:,} bytes of the pixel data are there."
