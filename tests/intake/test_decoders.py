# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged codestreams are refused; every decoder writes straight into the buffer it is given."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from pydicom.pixels.encoders.base import RLELosslessEncoder

from appliance.domain.acquisition import PixelFormat
from appliance.errors import InputError
from appliance.intake.decoders import COMPRESSED_SYNTAXES, decode, refuse_unreadable_syntax

NOISE = np.random.default_rng(10).integers(0, 4096, (90, 70), dtype=np.uint16)
RLE = "1.2.840.10008.1.2.5"


def run_lengths() -> bytes:
    return RLELosslessEncoder.encode(
        NOISE,
        rows=90,
        columns=70,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=16,
        bits_stored=12,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        encoding_plugin="pydicom",
    )


CODESTREAMS = {
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_encode(NOISE, bitspersample=12),
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode(NOISE, bitspersample=12),
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode(NOISE),
    "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_encode(NOISE, level=0, codecformat="J2K"),
    "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_encode(NOISE),
    RLE: run_lengths(),
}


def layout(syntax: str, *, rows: int = 90) -> PixelFormat:
    return PixelFormat(
        transfer_syntax_uid=syntax,
        rows=rows,
        columns=70,
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=12,
        pixel_representation=0,
    )


@pytest.mark.parametrize("syntax", CODESTREAMS)
def test_lossless_round_trip_without_a_copy(syntax: str) -> None:
    out = np.zeros_like(NOISE)
    found = decode(CODESTREAMS[syntax], layout(syntax), out)
    assert np.shares_memory(found, out)
    assert np.array_equal(out, NOISE)
    assert np.array_equal(decode(CODESTREAMS[syntax], layout(syntax)), NOISE)


@pytest.mark.parametrize("padding", [b"\0", b"\xff", bytes(500)])
@pytest.mark.parametrize("syntax", sorted(set(CODESTREAMS) - {RLE}))
def test_padding_after_the_end_mark_is_harmless(syntax: str, padding: bytes) -> None:
    assert np.array_equal(decode(CODESTREAMS[syntax] + padding, layout(syntax)), NOISE)


@pytest.mark.parametrize("syntax", CODESTREAMS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_cut_codestreams_are_refused(syntax: str, kept: float) -> None:
    codestream = CODESTREAMS[syntax]
    with pytest.raises(InputError, match="cut off"):
        decode(codestream[: int(len(codestream) * kept)], layout(syntax))


@pytest.mark.parametrize("syntax", sorted(set(CODESTREAMS) - {RLE}))
def test_another_size_than_the_header_declares_is_refused(syntax: str) -> None:
    with pytest.raises(InputError, match="90 x 70"):
        decode(CODESTREAMS[syntax], layout(syntax, rows=80))


def test_lossy_jpeg_of_eight_and_twelve_bits() -> None:
    smooth = np.add.outer(np.arange(90), np.arange(70)).astype(np.uint16) * 20
    coded = imagecodecs.jpeg8_encode(smooth, level=98, bitspersample=12)
    found = decode(coded, layout("1.2.840.10008.1.2.4.51"))
    assert np.abs(found.astype(int) - smooth).max() < 40
    with pytest.raises(InputError, match="cut off"):
        decode(coded[: len(coded) // 2], layout("1.2.840.10008.1.2.4.51"))


def test_syntaxes_that_are_read_and_those_that_are_not() -> None:
    for syntax in (*COMPRESSED_SYNTAXES, "1.2.840.10008.1.2.1"):
        refuse_unreadable_syntax(syntax)
    for syntax in ("1.2.840.10008.1.2.4.102", "9.9.9.9", "1.2.840.10008.1.2.4.94"):
        with pytest.raises(InputError, match="does not read"):
            refuse_unreadable_syntax(syntax)
