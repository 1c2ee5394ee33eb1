# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A NIfTI-1/2 volume as frames that lie as an axial DICOM stack would. Runs inside the jail.

NIfTI counts towards right, anterior and superior; DICOM rows run to the left and columns to the back.
Nothing is invented: what the file does not say (patient, study, kind of scanner) stays unknown, and the
UIDs that others need to tell volumes apart come from the content itself.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import (
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Patient,
    PixelFormat,
    SeriesCounts,
)
from appliance.errors import InputError
from appliance.intake.description import Description, FileState
from appliance.intake.frame_header import FrameHeader

NIFTI_SUFFIXES: Final = (".nii", ".nii.gz")
UNKNOWN_MODALITY: Final = "OT"
_UID_NAMESPACE: Final = uuid.UUID("5b1d5e53-4d5c-5c36-9a52-0b9f0e6f2c11")
"""Any fixed value does: it keeps these UIDs apart from other uses of the same hash."""
_MM_PER_UNIT: Final = MappingProxyType({"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001})
"""nibabel's names of the NIfTI spatial units; writers that set none mean millimetres."""
_KEPT_TYPES: Final = frozenset({"uint8", "int8", "uint16", "int16"})
_HASHED_BYTES: Final = 1 << 20
_EXPORT_AGAIN: Final = "Export the volume again as one three-dimensional NIfTI file, or as DICOM."


def is_nifti(path: Path) -> bool:
    """By its name: NIfTI comes from a person's command, never from a scanner."""
    return path.name.lower().endswith(NIFTI_SUFFIXES)


class NiftiVolume:
    """One volume, held in memory. Raises InputError where it is not a single volume of numbers."""

    def __init__(self, path: Path, *, max_frame_bytes: int) -> None:
        import nibabel as nib  # noqa: PLC0415  loaded on need: memory of the jail counts

        image: Any = nib.load(path)
        orientations: Any = nib.orientations
        shape = tuple(int(size) for size in image.shape)
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(
                f"The NIfTI file holds {' x '.join(map(str, image.shape))} values, not one volume.",
                remedy=_EXPORT_AGAIN,
            )
        if shape[0] * shape[1] * np.dtype(np.float32).itemsize > max_frame_bytes:
            raise InputError(
                f"One slice of {shape[1]} x {shape[0]} takes more than {max_frame_bytes:,} bytes.",
                remedy="Raise reading.max_frame_bytes if images of this size are real here.",
            )
        affine = np.asarray(image.affine, np.float64)
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) == 0.0:
            raise InputError("The NIfTI file does not say where its voxels are.", remedy=_EXPORT_AGAIN)
        proxy = image.dataobj
        stored = np.asarray(proxy.get_unscaled()).reshape(shape)
        orientation = orientations.io_orientation(affine)
        self._voxels = _plain(orientations.apply_orientation(stored, orientation))
        self._to_ras_mm = affine @ orientations.inv_ornt_aff(orientation, shape)
        self._to_ras_mm[:3] *= _MM_PER_UNIT.get(image.header.get_xyzt_units()[0], 1.0)
        self._slope, self._intercept = float(proxy.slope), float(proxy.inter)

    @property
    def _frame_shape(self) -> tuple[int, int]:
        return int(self._voxels.shape[1]), int(self._voxels.shape[0])

    @property
    def frames(self) -> int:
        """How many slices."""
        return int(self._voxels.shape[2])

    def needed_bytes(self) -> int:
        """See `Frames`."""
        rows, columns = self._frame_shape
        return rows * columns * self._voxels.dtype.itemsize

    def read(self, index: int, buffer: memoryview, *, halvings: int = 0) -> FrameHeader:
        """See `Frames`. Slices count from the feet to the head; none is ever halved."""
        del halvings
        if not 0 <= index < self.frames:
            raise InputError(f"The volume has {self.frames} slices, not {index + 1}.", remedy=_EXPORT_AGAIN)
        rows, columns = self._frame_shape
        target = np.frombuffer(buffer, self._voxels.dtype, count=rows * columns).reshape(rows, columns)
        target[...] = self._voxels[::-1, ::-1, index].T
        return FrameHeader(
            rows=rows,
            columns=columns,
            dtype=self._voxels.dtype.name,
            slope=self._slope,
            intercept=self._intercept,
            inverted=False,
            stored_range=self._stored_range(),
            padding=None,
            voi=None,
            spacing_mm=self._spacing_mm()[:2],
            rescale_type=None,
            from_colour=False,
        )

    def _stored_range(self) -> tuple[int, int]:
        dtype = self._voxels.dtype
        if dtype.kind == "f":
            return int(np.floor(self._voxels.min())), int(np.ceil(self._voxels.max()))
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

    def _spacing_mm(self) -> tuple[float, float, float]:
        """Rows, columns, slices."""
        columns, rows, slices = (float(np.linalg.norm(self._to_ras_mm[:3, axis])) for axis in range(3))
        return rows, columns, slices

    def geometry(self) -> Geometry:
        """Where the frames lie, in DICOM's patient coordinates (left, posterior, superior)."""
        to_lps = np.diag((-1.0, -1.0, 1.0)) @ self._to_ras_mm[:3]
        rows, columns, slices = self._spacing_mm()
        along_row, along_column = -to_lps[:, 0] / columns, -to_lps[:, 1] / rows
        last_column, last_row = self._voxels.shape[0] - 1, self._voxels.shape[1] - 1
        positions = (to_lps @ (last_column, last_row, index, 1.0) for index in range(self.frames))
        cosines = tuple(float(one) for one in (*along_row, *along_column))
        return Geometry(
            pixel_spacing_mm=(rows, columns),
            pixel_spacing_source="PixelSpacing",
            image_orientation_patient=(*cosines[:3], *cosines[3:6]),  # type: ignore[arg-type]  # six of them
            frame_positions_mm=tuple((float(x), float(y), float(z)) for x, y, z in positions),
            slice_thickness_mm=None,
            spacing_between_slices_mm=slices,
            patient_orientation=None,
        )

    def pixel_format(self) -> PixelFormat:
        """The samples as `read` gives them."""
        rows, columns = self._frame_shape
        bits = 8 * self._voxels.dtype.itemsize
        return PixelFormat(
            transfer_syntax_uid="",
            rows=rows,
            columns=columns,
            number_of_frames=self.frames,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=bits,
            bits_stored=bits,
            pixel_representation=0 if self._voxels.dtype.kind == "u" else 1,
        )


def _plain(voxels: NDArray[Any]) -> NDArray[Any]:
    """In native byte order; types that frames do not have become float32, exact up to 24 bits."""
    native = voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    if native.dtype.name in _KEPT_TYPES:
        return native
    if native.dtype.kind not in "iuf":
        raise InputError(f"The voxels are of type {native.dtype.name}.", remedy=_EXPORT_AGAIN)
    single = native.astype(np.float32)
    if not np.isfinite(single).all():
        raise InputError("The volume holds values that are not numbers.", remedy=_EXPORT_AGAIN)
    return single


def describe_nifti(path: Path, *, max_frame_bytes: int) -> Description:
    """The volume as one multi-frame instance. Raises InputError as `NiftiVolume` does."""
    volume = NiftiVolume(path, max_frame_bytes=max_frame_bytes)
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while piece := stream.read(_HASHED_BYTES):
            digest.update(piece)
    sha256 = digest.hexdigest()
    instance = Instance(
        path=Path(),
        sha256="",
        study_instance_uid=_uid(sha256, "study"),
        series_instance_uid=_uid(sha256, "series"),
        sop_instance_uid=_uid(sha256, "instance"),
        sop_class_uid="",
        modality=UNKNOWN_MODALITY,
        body_part=None,
        view_position=None,
        laterality=None,
        image_type=(),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=None,
        burned_in_annotation=None,
        pixels=volume.pixel_format(),
        patient=Patient(
            patient_id=None, patient_name=None, patient_sex=None, patient_birth_date=None, age_years=None
        ),
        exposure=Exposure(
            exposure_index=None,
            target_exposure_index=None,
            deviation_index=None,
            kvp=None,
            exposure_mas=None,
            exposure_time_ms=None,
        ),
        geometry=volume.geometry(),
        equipment=Equipment(
            manufacturer=None,
            manufacturer_model_name=None,
            station_name=None,
            device_serial_number=None,
            detector_id=None,
            protocol_name=None,
            convolution_kernel=None,
        ),
        counts=SeriesCounts(
            instance_number=None,
            acquisition_number=None,
            images_in_acquisition=None,
            number_of_temporal_positions=None,
            number_of_slices=None,
            number_of_time_slices=None,
            temporal_position_identifier=None,
        ),
    )
    return Description(state=FileState.WHOLE, instance=instance, reason=None, remedy=None)


def _uid(sha256: str, role: str) -> str:
    """PS3.5 section B.2: a UUID as a UID."""
    return f"2.25.{uuid.uuid5(_UID_NAMESPACE, f'{sha256} {role}').int}"
