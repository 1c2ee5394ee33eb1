# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Right pixels: against pydicom on real files of every syntax, and against known truth on made ones."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from appliance.domain.image import PixelImage
from appliance.errors import InputError
from appliance.intake.jail import Jail
from appliance.intake.pixels import clear_unused_bits, unpack_twelve_bits

WriteDicom = Callable[..., Path]
RAMP = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
LUMA = np.array([0.299, 0.587, 0.114])
ROUNDED = 0.5 + 1e-6

NOT_READ = {
    "RTDOSE_ExplBE_rtdose_expb.dcm": "32 bits",
    "RTDOSE_ImplLE_rtdose.dcm": "32 bits",
    "RTDOSE_RLE_rtdose_rle.dcm": "32 bits",
    "SEG_RLE_liver_rle.dcm": "one-bit",
    "SEG_DeflFrame_liver_deflate.dcm": "does not read",
}
"""Objects without an image to look at; what is refused is refused in so many words."""
NO_REFERENCE = {
    "CR_JPEG-ext_0.13.1.1.189187079567615122417865727043769260789.dcm",
    "CT_JPEG-53_cess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm",
    "CT_JPEG-55_ss10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm",
    "CT_JPEG-ext_CT0012.fragmented_no_bot_jpeg_baseline.51.dcm",
    "MR_JPEG-ext_MR4_JPLY.dcm",
    "NA_HTJ2K-LL_HTJ2KLossless_08_RGB.dcm",
    "NA_HTJ2K_HTJ2K_08_RGB.dcm",
    "NM_JPEG-ext_JPGExtended.dcm",
    "XA_JPEG-ext_XA1_JPLY.dcm",
}
"""pydicom has no decoder here for these; they are compared in other ways below."""


def images_of(folder: Path) -> list[Path]:
    """Files of a real collection that hold pixels, as its own manifest says."""
    with (folder / "MANIFEST.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [folder / row["file"] for row in rows if row.get("decodable", "yes") in ("yes", "no")]


def as_grey(reference: NDArray[Any], path: Path) -> NDArray[Any]:
    """What pydicom's samples are in grey."""
    dataset = read_header(path)
    photometric = dataset.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        reference = apply_color_lut(reference, dataset)
    if reference.ndim == 2:
        return apply_modality_lut(reference, dataset) if "ModalityLUTSequence" in dataset else reference
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        return reference[..., 0]
    return reference[..., :3] @ LUMA


def read_header(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True, stop_before_pixels=True)


@pytest.mark.parametrize("collection", ["dicom-zoo", "dx-cr"])
def test_real_files_equal_pydicom(
    jail: Jail, real_data: Path, read_reference: Callable[..., NDArray[Any]], collection: str
) -> None:
    """First and last frame of every file. Bit for bit, but for the rounding of colours to grey."""
    compared = 0
    for path in images_of(real_data / "ct" / collection):
        if path.name in NOT_READ:
            with pytest.raises(InputError, match=NOT_READ[path.name]):
                jail.frame(path, 0)
            continue
        frames = int(read_header(path).get("NumberOfFrames") or 1)
        for index in sorted({0, frames - 1}):
            image = jail.frame(path, index)
            if path.name in NO_REFERENCE:
                continue
            reference = as_grey(read_reference(path, index), path)
            if image.from_colour:
                assert np.abs(image.stored - reference.astype(np.float64)).max() <= ROUNDED, path.name
            elif image.stored.dtype == np.float32:
                assert np.allclose(image.stored, reference, rtol=1e-6), path.name
            else:
                assert np.array_equal(image.stored, reference), path.name
            compared += 1
    assert compared >= {"dicom-zoo": 100, "dx-cr": 7}[collection]


@pytest.mark.parametrize(
    ("lossy", "lossless", "fewest_db"),
    [
        ("CR_JPEG-ext_0.13.1.1.189187079567615122417865727043769260789.dcm", "CR_JPEGLS-LL_RG3_JLSL.dcm", 35),
        ("XA_JPEG-ext_XA1_JPLY.dcm", "XA_J2K-LL_XA1_J2KR.dcm", 35),
        ("NM_JPEG-ext_JPGExtended.dcm", "NM_J2K-LL_NM1_J2KR.dcm", 35),
    ],
)
def test_twelve_bit_jpeg_looks_like_its_lossless_twin(
    jail: Jail, real_data: Path, lossy: str, lossless: str, fewest_db: float
) -> None:
    zoo = real_data / "ct" / "dicom-zoo"
    coded, true = (jail.frame(zoo / name, 0).stored.astype(np.float64) for name in (lossy, lossless))
    error = np.sqrt(np.mean((coded - true) ** 2))
    assert 20 * np.log10(true.max() / error) > fewest_db


def test_high_throughput_jpeg_2000_equals_openjpeg(
    jail: Jail, write_dicom: WriteDicom, real_data: Path
) -> None:
    """Another decoder of another make reads the same codestream; and a lossless round trip."""
    noise = np.random.default_rng(2).integers(0, 4096, (300, 200), dtype=np.uint16)
    codestream = imagecodecs.htj2k_encode(noise)
    path = write_dicom(noise, syntax="1.2.840.10008.1.2.4.201", frames=[codestream], BitsStored=12)
    assert np.array_equal(jail.frame(path, 0).stored, noise)
    zoo = real_data / "ct" / "dicom-zoo" / "NA_HTJ2K-LL_HTJ2KLossless_08_RGB.dcm"
    content = zoo.read_bytes()
    colours = imagecodecs.jpeg2k_decode(content[content.index(b"\xff\x4f\xff\x51") :])
    assert np.abs(jail.frame(zoo, 0).stored - colours @ LUMA).max() <= ROUNDED


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_native_types_and_orders(
    jail: Jail, write_dicom: WriteDicom, dtype: type[np.integer[Any]], syntax: str
) -> None:
    limits = np.iinfo(dtype)
    truth = np.random.default_rng(3).integers(limits.min, limits.max + 1, (2, 301, 97), dtype=dtype)
    path = write_dicom(truth, syntax=syntax)
    for index in range(2):
        image = jail.frame(path, index)
        assert image.stored.dtype == dtype
        assert np.array_equal(image.stored, truth[index])
        assert image.stored_range == (limits.min, limits.max)


def test_unused_high_bits_are_an_old_overlay_and_are_cleared(jail: Jail, write_dicom: WriteDicom) -> None:
    """12 bits stored; the four above hold an overlay, or the sign."""
    noise = np.random.default_rng(4).integers(0, 4096, (200, 3000), dtype=np.uint16)
    path = write_dicom(noise | 0xB000, BitsStored=12, HighBit=11)
    assert np.array_equal(jail.frame(path, 0).stored, noise)
    signed = write_dicom((noise | 0x5000).astype(np.int16), BitsStored=12, HighBit=11)
    image = jail.frame(signed, 0)
    assert np.array_equal(image.stored, np.where(noise >= 2048, noise.astype(np.int32) - 4096, noise))
    assert image.stored_range == (-2048, 2047)


def test_signs_survive_compression(jail: Jail, write_dicom: WriteDicom) -> None:
    """JPEG-LS and lossless JPEG know no signs; JPEG 2000 does. All must give the same values."""
    truth = np.random.default_rng(5).integers(-2048, 2048, (65, 43)).astype(np.int16)
    bits = (truth.view(np.uint16) & 0x0FFF).astype(np.uint16)
    for syntax, codestream in {
        "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode(bits),
        "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode(bits, bitspersample=12),
        "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_encode(truth, level=0, codecformat="J2K"),
        "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_encode(bits),
    }.items():
        path = write_dicom(truth, syntax=syntax, frames=[codestream], BitsStored=12, HighBit=11)
        assert np.array_equal(jail.frame(path, 0).stored, truth), syntax


def test_packed_twelve_bits(jail: Jail, write_dicom: WriteDicom) -> None:
    truth = np.array([[0x123, 0xABC, 0xFFF], [0x000, 0x800, 0x7E7]], np.uint16)
    packed = bytes([0x23, 0xC1, 0xAB, 0xFF, 0x0F, 0x00, 0x00, 0x78, 0x7E])
    assert np.array_equal(unpack_twelve_bits(packed, 6).reshape(2, 3), truth)
    path = write_dicom(truth, raw=packed + b"\0", BitsAllocated=12, BitsStored=12, HighBit=11)
    assert np.array_equal(jail.frame(path, 0).stored, truth)
    signed = write_dicom(
        truth, raw=packed + b"\0", BitsAllocated=12, BitsStored=12, HighBit=11, PixelRepresentation=1
    )
    assert np.array_equal(
        jail.frame(signed, 0).stored, np.where(truth > 2047, truth.astype(np.int32) - 4096, truth)
    )
    plain = write_dicom(RAMP, BitsAllocated=12, BitsStored=12, HighBit=11, PixelRepresentation=0)
    with pytest.raises(InputError, match="packed into"):
        jail.frame(plain, 0)


def test_one_bit_frames_follow_each_other_without_a_gap(jail: Jail, write_dicom: WriteDicom) -> None:
    truth = np.random.default_rng(6).integers(0, 2, (3, 5, 7), dtype=np.uint8)
    packed = np.packbits(truth.reshape(-1), bitorder="little").tobytes()
    path = write_dicom(truth, raw=packed, BitsAllocated=1, BitsStored=1, HighBit=0)
    for index in range(3):
        assert np.array_equal(jail.frame(path, index).stored, truth[index])


def test_floating_point(jail: Jail, write_dicom: WriteDicom, header: Dataset) -> None:
    truth = np.linspace(-5.5, 900.25, 48, dtype=np.float32).reshape(6, 8)
    write_dicom(RAMP[:6, :8], BitsAllocated=32)
    del header.PixelData
    header.FloatPixelData = truth.tobytes()
    path = write_dicom()
    image = jail.frame(path, 0)
    assert np.array_equal(image.stored, truth)
    assert image.stored_range == (-6, 901)
    header.FloatPixelData = np.where(truth > 0, np.nan, truth).tobytes()
    with pytest.raises(InputError, match="not numbers"):
        jail.frame(write_dicom(), 0)


# Trace: REQ-030
def test_monochrome1_of_signed_values_is_brighter_where_it_was_darker(
    jail: Jail, write_dicom: WriteDicom
) -> None:
    truth = np.array([[-2048, -1, 0, 2047]], np.int16)
    path = write_dicom(
        truth, BitsStored=12, PhotometricInterpretation="MONOCHROME1", RescaleSlope="2", RescaleIntercept="10"
    )
    image = jail.frame(path, 0)
    assert image.inverted
    assert np.array_equal(image.stored, truth)
    assert image.grey().tolist() == [[4104.0, 10.0, 8.0, -4086.0]]


def test_presentation_lut_shape_inverse_inverts(jail: Jail, write_dicom: WriteDicom) -> None:
    assert jail.frame(write_dicom(RAMP, PresentationLUTShape="INVERSE"), 0).inverted
    assert not jail.frame(write_dicom(RAMP, PresentationLUTShape="IDENTITY"), 0).inverted


@pytest.mark.parametrize(
    ("dtype", "value", "limit", "expected"),
    [
        (np.int16, -2000, None, (-2000, -2000)),
        (np.uint16, 100, 50, (50, 100)),
        (np.uint16, 0, 7, (0, 7)),
    ],
)
def test_padding_is_a_range_of_stored_values(
    jail: Jail,
    write_dicom: WriteDicom,
    dtype: type[np.integer[Any]],
    value: int,
    limit: int | None,
    expected: tuple[int, int],
) -> None:
    elements = {"PixelPaddingValue": value}
    if limit is not None:
        elements["PixelPaddingRangeLimit"] = limit
    truth = np.array([[-2000, 0, 60], [100, 200, 7]]).astype(dtype)
    image = jail.frame(write_dicom(truth, **elements), 0)
    assert image.padding == expected
    mask = image.padding_mask()
    assert mask is not None
    assert np.array_equal(mask, (truth >= expected[0]) & (truth <= expected[1]))


def test_modality_table_is_applied_and_leaves_nothing_to_rescale(jail: Jail, write_dicom: WriteDicom) -> None:
    table = Dataset()
    table.LUTDescriptor = [4, 100, 16]
    table.LUTData = np.array([0, 500, 30000, 65535], "<u2").tobytes()
    table.ModalityLUTType = "US"
    truth = np.array([[0, 100, 101], [102, 103, 60000]], np.uint16)
    image = jail.frame(write_dicom(truth, ModalityLUTSequence=[table], PixelPaddingValue=0), 0)
    assert image.stored.tolist() == [[0, 0, 500], [30000, 65535, 65535]]
    assert (image.slope, image.intercept, image.stored_range) == (1.0, 0.0, (0, 65535))
    assert image.padding is None
    assert image.rescale_type == "US"


def test_damaged_modality_table_and_impossible_rescale_are_refused(
    jail: Jail, write_dicom: WriteDicom
) -> None:
    table = Dataset()
    table.LUTDescriptor = [400, 0, 16]
    table.LUTData = bytes(4)
    with pytest.raises(InputError, match="Modality LUT"):
        jail.frame(write_dicom(RAMP, ModalityLUTSequence=[table]), 0)


# Trace: REQ-030
@pytest.mark.parametrize(("slope", "intercept"), [("0", "0"), ("1", None), (None, "-1024")])
def test_a_rescale_that_would_make_wrong_units_is_refused(
    jail: Jail, write_dicom: WriteDicom, slope: str | None, intercept: str | None
) -> None:
    path = write_dicom(RAMP, RescaleSlope=slope, RescaleIntercept=intercept)
    with pytest.raises(InputError, match="rescale"):
        jail.frame(path, 0)


def test_colours_become_grey_and_say_so(jail: Jail, write_dicom: WriteDicom) -> None:
    colours = np.random.default_rng(7).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    grey = np.rint(colours @ LUMA)
    for planar, content in ((0, colours), (1, np.moveaxis(colours, -1, 0))):
        path = write_dicom(
            colours[..., 0],
            raw=content.tobytes(),
            SamplesPerPixel=3,
            PhotometricInterpretation="RGB",
            PlanarConfiguration=planar,
        )
        image = jail.frame(path, 0)
        assert image.from_colour
        assert not image.inverted
        assert np.abs(image.stored - grey).max() <= 1


def test_palette_colours_become_grey(jail: Jail, write_dicom: WriteDicom) -> None:
    entries = np.array([0, 20000, 65535], np.uint16)
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, factor in (("Red", 1.0), ("Green", 0.5), ("Blue", 0.25)):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [3, 0, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = (entries * factor).astype("<u2").tobytes()
    indices = np.array([[0, 1], [2, 2]], np.uint8)
    image = jail.frame(write_dicom(indices, **elements), 0)
    assert image.from_colour
    truth = entries[indices] * float(LUMA @ [1.0, 0.5, 0.25])
    assert np.abs(image.stored - truth).max() <= 1
    bare = write_dicom(
        indices, PhotometricInterpretation="PALETTE COLOR", RedPaletteColorLookupTableData=None
    )
    with pytest.raises(InputError, match="palette"):
        jail.frame(bare, 0)


def test_fragmented_frames_with_and_without_an_offset_table(
    jail: Jail, real_data: Path, read_reference: Callable[..., NDArray[Any]]
) -> None:
    path = real_data / "ct" / "dicom-zoo" / "CT_JPEG-ext_CT0012.fragmented_no_bot_jpeg_baseline.51.dcm"
    first, second = jail.frame(path, 0), jail.frame(path, 1)
    assert first.shape == second.shape == (512, 512)
    assert not np.array_equal(first.stored, second.stored)
    with pytest.raises(InputError, match="Frame 3"):
        jail.frame(path, 2)


def test_enhanced_frames_have_their_own_rescale_window_and_spacing(
    jail: Jail, write_dicom: WriteDicom
) -> None:
    def group(slope: str, center: str, spacing: list[str]) -> Dataset:
        transform, window, measures, groups = Dataset(), Dataset(), Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = slope, "-1024", "HU"
        window.WindowCenter, window.WindowWidth = center, "400"
        measures.PixelSpacing = spacing
        groups.PixelValueTransformationSequence = [transform]
        groups.FrameVOILUTSequence = [window]
        groups.PixelMeasuresSequence = [measures]
        return groups

    path = write_dicom(
        np.zeros((2, 8, 8), np.uint16),
        PerFrameFunctionalGroupsSequence=[group("1", "40", ["0.5", "0.6"]), group("2", "80", ["0.7", "0.8"])],
    )
    images: list[PixelImage] = [jail.frame(path, index) for index in range(2)]
    assert [image.slope for image in images] == [1.0, 2.0]
    assert [image.rescale_type for image in images] == ["HU", "HU"]
    assert [image.voi.center if image.voi else None for image in images] == [40.0, 80.0]
    assert [image.spacing_mm for image in images] == [(0.5, 0.6), (0.7, 0.8)]


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"BitsAllocated": 32, "BitsStored": 32}, "32 bits"),
        ({"PhotometricInterpretation": "FOO"}, "'FOO'"),
        ({"PhotometricInterpretation": "RGB"}, "contradicts itself"),
        ({"BitsStored": 17}, "Impossible pixel layout"),
        ({"Rows": 0}, "Rows is 0"),
    ],
)
def test_what_is_not_read_is_said(
    jail: Jail, write_dicom: WriteDicom, elements: dict[str, Any], words: str
) -> None:
    path = write_dicom(RAMP.astype(np.uint32), **{"BitsAllocated": 16, "BitsStored": 16, **elements})
    with pytest.raises(InputError, match=words):
        jail.frame(path, 0)


def test_clear_unused_bits_leaves_a_read_only_original() -> None:
    original = np.array([0xF001], np.uint16)
    original.flags.writeable = False
    assert clear_unused_bits(original, 4).tolist() == [1]
    assert original.tolist() == [0xF001]
