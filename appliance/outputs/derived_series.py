# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The denoised series as DICOM: a new CT series in the original's study and frame of reference.

Written slice by slice as the slices are made, each whole and on the disk before the next: memory stays
that of one slice. The original is only read. Times are the
original's: objects made twice of the same images are the same, to the byte.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID
from typing_extensions import Self

from appliance.domain.acquisition import Acquisition, Instance
from appliance.domain.card import ModelCard
from appliance.domain.image import GreyArray, PixelImage
from appliance.domain.result import DerivedFile
from appliance.durable import make_folder, sync_folder, write_whole
from appliance.errors import InputError
from appliance.outputs.derived_pixels import (
    REMEDY,
    WINDOW,
    describe_pixels,
    stored_values,
    strength_of,
)
from appliance.outputs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    code_item,
    derived_series_uid,
    file_meta,
    frame_of_reference_uid,
    software_version,
    uid_of,
)
from appliance.outputs.source_header import (
    PATIENT_AND_STUDY,
    TIMES,
    patient_and_study,
    read_source,
    take_over,
)

ROLE: Final = "derived_image"
SERIES_NUMBER_STEP: Final = 1000
"""Added to the original's series number: sorted beside it, and no number that a scanner gives."""
DESCRIPTION_LENGTH: Final = 64
"""Characters of SeriesDescription (VR LO)."""
SUFFIX: Final = " AI denoised"
SERIES: Final = ("PatientPosition",)
"""Type 2C of the General Series module, needed for CT."""
SERIES_OPTIONAL: Final = ("BodyPartExamined", "ProtocolName", "Laterality")
FRAME_OF_REFERENCE: Final = ("PositionReferenceIndicator",)
IMAGE_OPTIONAL: Final = (
    *TIMES,
    "BurnedInAnnotation",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
PLANE: Final = ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness")
PLANE_OPTIONAL: Final = ("SliceLocation", "SpacingBetweenSlices")
CT: Final = ("KVP", "AcquisitionNumber")
"""Type 2 of the CT Image module."""
CT_OPTIONAL: Final = (
    "ScanOptions",
    "DataCollectionDiameter",
    "ReconstructionDiameter",
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "GantryDetectorTilt",
    "TableHeight",
    "RotationDirection",
    "ExposureTime",
    "XRayTubeCurrent",
    "Exposure",
    "FilterType",
    "GeneratorPower",
    "FocalSpots",
    "ConvolutionKernel",
    "SpiralPitchFactor",
    "CTDIvol",
    "ContrastBolusAgent",
)
SCANNER: Final = (
    "Manufacturer",
    "InstitutionName",
    "StationName",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "SoftwareVersions",
)
REPEATED: Final = (
    *PATIENT_AND_STUDY,
    *SERIES,
    *SERIES_OPTIONAL,
    *FRAME_OF_REFERENCE,
    *IMAGE_OPTIONAL,
    *PLANE,
    *PLANE_OPTIONAL,
    *CT,
    *CT_OPTIONAL,
    *WINDOW,
    *SCANNER,
    "FrameOfReferenceUID",
    "SeriesNumber",
    "SeriesDescription",
    "InstanceNumber",
)


class DerivedSeriesWriter:
    """Writes one derived object per slice of an acquisition into a folder.

    A context manager: `close` makes the names durable, and comes before a result names them.
    """

    def __init__(self, folder: Path, *, acquisition: Acquisition, card: ModelCard, data: Path) -> None:
        """`data`: the data folder that results name files relative to; `folder` lies below it."""
        self._folder = folder
        self._acquisition = acquisition
        self._card = card
        self._data = data
        self.series_instance_uid = derived_series_uid(acquisition.first.series_instance_uid, card.identity)
        make_folder(folder)

    def add(self, index: int, image: PixelImage, denoised: GreyArray) -> tuple[DerivedFile, NDArray[Any]]:
        """Write slice `index` of the stack: whole and on the disk on return, its name durable after `close`.

        `image` is the original slice, `denoised` the new one in its units. Also returns the new slice as
        stored values (the shape and type of `image.stored`), as the screen shows it. Raises InputError
        when the original's header cannot be repeated.
        """
        place = self._acquisition.slices[index]
        source = self._acquisition.instances[place.instance]
        stored = stored_values(image, denoised)
        sop_instance_uid, content = self._encode(source, image, stored)
        path = self._folder / f"{self._card.task}-{index + 1:05d}.dcm"
        write_whole(path, content)
        return (
            DerivedFile(
                path=str(path.relative_to(self._data)),
                sha256=hashlib.sha256(content).hexdigest(),
                role=ROLE,
                sop_instance_uid=str(sop_instance_uid),
            ),
            stored,
        )

    def close(self) -> None:
        """Make the names of all slices durable."""
        sync_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _encode(self, source: Instance, image: PixelImage, stored: NDArray[Any]) -> tuple[UID, bytes]:
        header = read_source(source.path, REPEATED)
        pixels = stored.astype("<i2" if stored.dtype.kind == "i" else "<u2").tobytes()
        made_of = (source.sop_instance_uid, source.sha256, hashlib.sha256(pixels).hexdigest())
        sop_instance_uid = uid_of("derived image", self._card.task, self._card.version, *made_of)
        dataset = Dataset()
        patient_and_study(header, dataset, source)
        self._series(dataset, header, source)
        self._image(dataset, header, source, sop_instance_uid, strength_of(image, stored))
        describe_pixels(dataset, header, image, stored, pixels)
        dataset.file_meta = file_meta(source.sop_class_uid, sop_instance_uid)
        buffer = io.BytesIO()
        try:
            dataset.save_as(buffer, enforce_file_format=True)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            raise InputError(
                f"The header of {source.path.name} cannot be repeated in a new object: {error}.",
                remedy=REMEDY,
            ) from error
        return sop_instance_uid, buffer.getvalue()

    def _series(self, dataset: Dataset, header: Dataset, source: Instance) -> None:
        dataset.Modality = source.modality
        dataset.SeriesInstanceUID = self.series_instance_uid
        dataset.SeriesNumber = SERIES_NUMBER_STEP + max(0, source.series_number or 0)
        original = (source.series_description or "")[: DESCRIPTION_LENGTH - len(SUFFIX)]
        dataset.SeriesDescription = (original + SUFFIX).strip()
        take_over(header, dataset, SERIES, always=True)
        take_over(header, dataset, SERIES_OPTIONAL, always=False)
        if "BodyPartExamined" not in dataset:
            dataset.setdefault("Laterality", None)  # type 2C: it may be one of a pair, nobody says
        take_over(header, dataset, FRAME_OF_REFERENCE, always=True)
        take_over(header, dataset, ("FrameOfReferenceUID",), always=False)
        if "FrameOfReferenceUID" not in dataset:
            dataset.FrameOfReferenceUID = frame_of_reference_uid(source.series_instance_uid)
        dataset.Manufacturer = MANUFACTURER
        dataset.ManufacturerModelName = MODEL_NAME
        dataset.SoftwareVersions = [software_version(), self._card.identity]
        scanner = Dataset()
        take_over(header, scanner, SCANNER, always=False)
        if "Manufacturer" not in scanner:
            scanner.Manufacturer = None
        scanner.PurposeOfReferenceCodeSequence = [code_item("109101", "DCM", "Acquisition Equipment")]
        dataset.ContributingEquipmentSequence = [scanner]

    def _image(
        self, dataset: Dataset, header: Dataset, source: Instance, sop_instance_uid: UID, strength: str
    ) -> None:
        card = self._card
        dataset.SOPClassUID = UID(source.sop_class_uid)
        dataset.SOPInstanceUID = sop_instance_uid
        flavour = source.image_type[2] if len(source.image_type) > 2 else "AXIAL"
        dataset.ImageType = ["DERIVED", "SECONDARY", flavour, "DENOISED"]
        take_over(header, dataset, ("InstanceNumber",), always=True)
        take_over(header, dataset, IMAGE_OPTIONAL, always=False)
        dataset.DerivationDescription = (
            f"Noise reduced by the network {card.name}, {card.identity}: {strength}. No pixel was changed by "
            "more than what can be noise there. Not for primary diagnosis; read together with the original."
        )
        dataset.DerivationCodeSequence = [code_item("113087", "DCM", "Smoothing")]
        reference = Dataset()
        reference.ReferencedSOPClassUID = UID(source.sop_class_uid)
        reference.ReferencedSOPInstanceUID = UID(source.sop_instance_uid)
        reference.SpatialLocationsPreserved = "YES"
        reference.PurposeOfReferenceCodeSequence = [
            code_item("121322", "DCM", "Source image for image processing operation")
        ]
        dataset.SourceImageSequence = [reference]
        take_over(header, dataset, PLANE, always=False)
        take_over(header, dataset, PLANE_OPTIONAL, always=False)
        take_over(header, dataset, CT, always=True)
        take_over(header, dataset, CT_OPTIONAL, always=False)
        missing = [keyword for keyword in PLANE[:3] if keyword not in dataset]
        if missing:
            raise InputError(
                f"The original {source.path.name} does not say where its slice lies: no valid {missing}.",
                remedy=REMEDY,
            )
        dataset.setdefault("SliceThickness", None)
