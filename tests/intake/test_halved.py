# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A frame without its finest wavelet levels: right where it is given, the whole one everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Acquisition, Completeness, Kind, SliceRef, Urgency
from appliance.domain.image import PixelImage
from appliance.errors import InputError
from appliance.intake.frames import HalvedFrame, NotHalvedError, open_frames
from appliance.intake.jail import Jail
from appliance.tasks.letterbox import letterbox

WriteDicom = Callable[..., Path]
J2K, HTJ2K, LOSSY = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.203"
BITS = 14
SIZE_PX = 64
FURTHEST = {1: 0.035, 2: 0.09}
"""By halvings: how far any pixel of the network's input (0 to 1) may be from that of the whole frame. The
farthest lie on an edge from black to white, which no soft anatomy has."""
MEAN = {1: 0.0005, 2: 0.001}


def pyramid(rows: int = 602, columns: int = 450) -> NDArray[np.uint16]:
    """Soft anatomy, hard edges down to 0 and up to full scale, and quantum noise."""
    random = np.random.default_rng(5)
    soft = cv2.resize(random.random((9, 7), np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    grey = 3000 + 9000 * soft + random.normal(0, 60, (rows, columns))
    grey[:40], grey[:, -30:] = 0, 2**BITS - 1
    return np.clip(grey, 0, 2**BITS - 1).astype(np.uint16)


def encoded(pixels: NDArray[Any], syntax: str, **options: Any) -> bytes:
    if syntax == J2K:
        chosen = {"codecformat": "j2k", "bitspersample": BITS, "reversible": True} | options
        return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, **chosen))
    return bytes(imagecodecs.htj2k_encode(pixels, **({"reversible": True} | options)))


@pytest.fixture
def written(write_dicom: WriteDicom) -> Callable[..., Path]:
    def write(
        pixels: NDArray[Any], syntax: str, *, options: dict[str, Any] | None = None, **said: Any
    ) -> Path:
        frame = encoded(pixels, syntax, **(options or {}))
        elements = {"BitsStored": BITS, "HighBit": BITS - 1} | said
        return write_dicom(pixels, syntax=syntax, frames=[frame], **elements)

    return write


def asked(jail: Jail, path: Path, halvings: int) -> PixelImage:
    return jail.begin_frame(path, 0, halvings=halvings).image()


def tensor(image: PixelImage) -> NDArray[np.float32]:
    return letterbox(image, size_px=SIZE_PX, low_percentile=0.5, high_percentile=99.5).tensor


@pytest.mark.parametrize("halvings", [1, 2])
@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_network_sees_nearly_the_same(
    jail: Jail, written: Callable[..., Path], syntax: str, halvings: int, photometric: str
) -> None:
    path = written(
        pyramid(),
        syntax,
        PhotometricInterpretation=photometric,
        RescaleSlope="2",
        RescaleIntercept="-100",
        PixelSpacing=["0.1", "0.2"],
    )
    whole, halved = jail.frame(path, 0), asked(jail, path, halvings)
    assert (whole.halvings, whole.whole_px, halved.halvings) == (0, None, halvings)
    assert halved.whole_shape == whole.shape == whole.whole_shape
    assert halved.shape == tuple(-(-side // 2**halvings) for side in whole.shape)
    assert (halved.slope, halved.intercept, halved.inverted) == (whole.slope, whole.intercept, whole.inverted)
    assert halved.spacing_mm == pytest.approx((0.1 * 2**halvings, 0.2 * 2**halvings))
    apart = np.abs(tensor(halved) - tensor(whole))
    assert apart.max() < FURTHEST[halvings]
    assert apart.mean() < MEAN[halvings]


@pytest.mark.parametrize("halvings", [1, 2])
def test_both_codecs_give_the_same_samples(jail: Jail, written: Callable[..., Path], halvings: int) -> None:
    one, other = (asked(jail, written(pyramid(), syntax), halvings).stored for syntax in (J2K, HTJ2K))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_what_falls_below_zero_at_an_edge_does_not_come_back_as_white(
    jail: Jail, written: Callable[..., Path], syntax: str
) -> None:
    edge = np.zeros((64, 64), np.uint16)
    edge[:, 32:] = 2**BITS - 1  # the sample of column 30 is an eighth of that below 0
    halved = asked(jail, written(edge, syntax), 1).stored
    assert set(halved[:, :16].ravel().tolist()) == {0}
    assert int(halved.max()) == 2**BITS - 1


def table() -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [2**BITS, 0, 16]
    item.LUTData = np.arange(2**BITS, dtype="<u2")[::-1].tobytes()
    item["LUTData"].VR = "OW"
    return item


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
@pytest.mark.parametrize(
    "said",
    [{"PixelPaddingValue": 0}, {"ModalityLUTSequence": [table()]}, {"BitsStored": 16, "HighBit": 15}],
    ids=["padding", "table", "16 bits"],
)
def test_where_a_mean_is_no_sample_the_whole_frame_comes(
    jail: Jail, written: Callable[..., Path], syntax: str, said: dict[str, Any]
) -> None:
    bits = {"bitspersample": said.get("BitsStored", BITS)} if syntax == J2K else {}
    assert is_whole(jail, written(pyramid(), syntax, options=bits, **said), halvings=1)


@pytest.mark.parametrize("position", [0, 15])
def test_an_overlay_in_the_high_bits_keeps_the_frame_whole(
    jail: Jail, written: Callable[..., Path], header: Dataset, position: int
) -> None:
    header.add_new(0x60000102, "US", position)
    path = written(pyramid(), HTJ2K)
    if position:
        assert is_whole(jail, path, halvings=1)
    else:
        assert asked(jail, path, 1).halvings == 1


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_a_codestream_of_fewer_levels_comes_whole(
    jail: Jail, written: Callable[..., Path], syntax: str
) -> None:
    path = written(pyramid(), syntax, options={"resolutions": 2})  # HTJ2K: two levels; JPEG 2000: one
    assert asked(jail, path, 1).halvings == 1
    assert is_whole(jail, path, halvings=3)


def is_whole(jail: Jail, path: Path, *, halvings: int) -> bool:
    found = asked(jail, path, halvings)
    same = np.array_equal(found.stored, jail.frame(path, 0).stored)
    return same and (found.halvings, found.whole_px) == (0, None)


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_signed_and_lossy_and_other_syntaxes_are_not_halved(
    jail: Jail, written: Callable[..., Path], write_dicom: WriteDicom, syntax: str
) -> None:
    assert asked(jail, write_dicom(pyramid(), name="plain.dcm"), 1).halvings == 0
    signed = (pyramid().astype(np.int32) - 8000).astype(np.int16)
    assert asked(jail, written(signed, syntax, PixelRepresentation=1), 1).halvings == 0
    if syntax == HTJ2K:
        assert asked(jail, written(pyramid(), LOSSY), 1).halvings == 0


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_a_damaged_codestream_is_refused_as_ever_and_the_jail_lives(
    jail: Jail, write_dicom: WriteDicom, written: Callable[..., Path], syntax: str
) -> None:
    cut = encoded(pyramid(), syntax)[:-4000]
    path = write_dicom(
        pyramid(), syntax=syntax, frames=[cut], name="cut.dcm", BitsStored=BITS, HighBit=BITS - 1
    )
    with pytest.raises(InputError):
        asked(jail, path, 1)
    hostile = bytearray(encoded(pyramid(), syntax))
    hostile[8:16] = b"\x7f\xff\xff\xff" * 2  # the codestream claims to be as large as can be
    path = write_dicom(
        pyramid(), syntax=syntax, frames=[bytes(hostile)], name="large.dcm", BitsStored=BITS, HighBit=BITS - 1
    )
    with pytest.raises(InputError):
        asked(jail, path, 1)
    other = encoded(pyramid(300, 200), syntax)  # whole in itself, of another size than the header says
    path = write_dicom(
        pyramid(), syntax=syntax, frames=[other], name="other.dcm", BitsStored=BITS, HighBit=BITS - 1
    )
    with pytest.raises(InputError):
        asked(jail, path, 1)
    assert asked(jail, written(pyramid(), syntax), 1).halvings == 1


def projection(jail: Jail, path: Path) -> Acquisition:
    instance = jail.describe(path).instance
    assert instance is not None
    return Acquisition(
        acquisition_id="a",
        version=1,
        kind=Kind.PROJECTION,
        completeness=Completeness.COMPLETE,
        evidence="made so",
        urgency=Urgency.LIVE,
        instances=(instance,),
        slices=(SliceRef(instance=0, frame=0, position_mm=None),),
    )


def test_the_whole_frame_follows_the_halved_one(jail: Jail, written: Callable[..., Path]) -> None:
    frames = open_frames(projection(jail, written(pyramid(), HTJ2K)), jail)
    halved = HalvedFrame(frames, 2)
    assert len(halved) == 1
    assert [image.halvings for image in halved] == [2]
    assert np.array_equal(frames.frame(0).stored, pyramid())


def test_what_cannot_be_halved_is_said_and_kept(jail: Jail, written: Callable[..., Path]) -> None:
    frames = open_frames(projection(jail, written(pyramid(), HTJ2K, PixelPaddingValue=0)), jail)
    with pytest.raises(NotHalvedError):
        HalvedFrame(frames, 2).frame(0)
    assert np.array_equal(frames.frame(0).stored, pyramid())
