# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One compressed frame to its samples, by the fastest well-kept decoder of its kind. Runs inside the jail.

Which decoder for which syntax was measured on 2500 x 3000 images: CharLS for JPEG-LS, liblj92 for lossless
JPEG (jpegsof3 for what it does not know), OpenJPH for HTJ2K, OpenJPEG for JPEG 2000, libjpeg-turbo for lossy
JPEG of 8 and 12 bit. There is no second decoder of another make behind them: what one refuses as damaged,
another may turn into a picture. Codecs are loaded when the first file needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID

from appliance.domain.acquisition import PixelFormat
from appliance.errors import InputError
from appliance.intake.extent import is_encapsulated

Samples: TypeAlias = NDArray[Any]
"""Shape (rows, columns) or (rows, columns, samples); integers as the codestream holds them."""
_Decode: TypeAlias = Callable[[bytes, PixelFormat, "Samples | None"], Samples]

_SEND_OTHERWISE: Final = "Ask the sender for uncompressed, JPEG-LS, lossless JPEG, JPEG 2000 or RLE images."
_COLOUR_SAMPLES: Final = 3
RUN_LENGTH_SYNTAX: Final = "1.2.840.10008.1.2.5"


def _lossy_jpeg(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    """Baseline, extended and progressive JPEG. Of YCbCr colour only the brightness is decoded."""
    from imagecodecs import jpeg8_decode  # noqa: PLC0415  loaded on need: memory of the jail counts

    if pixel_format.samples_per_pixel != _COLOUR_SAMPLES:
        return np.asarray(jpeg8_decode(codestream, out=out))
    if pixel_format.photometric_interpretation == "RGB":
        return np.asarray(jpeg8_decode(codestream, colorspace="RGB", outcolorspace="RGB"))
    return np.asarray(jpeg8_decode(codestream, colorspace="YCBCR", outcolorspace="GRAYSCALE"))


def _lossless_jpeg(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    """liblj92 knows one-component images best; jpegsof3 takes what it refuses."""
    from imagecodecs import LjpegError, jpegsof3_decode, ljpeg_decode  # noqa: PLC0415  loaded on need

    if pixel_format.samples_per_pixel == 1:
        try:
            return np.asarray(ljpeg_decode(codestream, out=out))
        except (LjpegError, ValueError):
            pass  # an unusual codestream; the next decoder says whether it is damaged
    return np.asarray(jpegsof3_decode(codestream))


def _jpeg_ls(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    from imagecodecs import jpegls_decode  # noqa: PLC0415  loaded on need

    del pixel_format
    return np.asarray(jpegls_decode(codestream, out=out))


def _jpeg_2000(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    from imagecodecs import jpeg2k_decode  # noqa: PLC0415  loaded on need

    del pixel_format
    return np.asarray(jpeg2k_decode(codestream, out=out, numthreads=DECODER_THREADS))


DECODER_THREADS: Final = 2
"""OpenJPEG can share the tiles of an image between threads; the other codecs cannot."""


def _high_throughput_jpeg_2000(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    from imagecodecs import htj2k_decode  # noqa: PLC0415  loaded on need

    del pixel_format
    return np.asarray(htj2k_decode(codestream, out=out))


def _run_length(codestream: bytes, pixel_format: PixelFormat, out: Samples | None) -> Samples:
    """DICOM's byte-plane run lengths (PS3.5 annex G)."""
    from imagecodecs import dicomrle_decode  # noqa: PLC0415  loaded on need

    allocated_bytes = pixel_format.bits_allocated // 8
    if allocated_bytes == 0:
        raise InputError(
            "The pixels are one-bit run lengths (a segmentation), which this device does not read.",
            remedy="Send the image itself, not its segmentation.",
        )
    dtype = np.dtype(f"<u{allocated_bytes}")
    if out is not None and pixel_format.samples_per_pixel == 1:
        dicomrle_decode(codestream, dtype, out=out.reshape(-1).view(np.uint8).data)
        return out
    plain = dicomrle_decode(codestream, dtype)
    planes = (pixel_format.samples_per_pixel, pixel_format.rows, pixel_format.columns)
    samples = np.frombuffer(plain, dtype).reshape(planes)
    return samples[0] if planes[0] == 1 else np.moveaxis(samples, 0, -1)


_DECODERS: Final[MappingProxyType[str, _Decode]] = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.50": _lossy_jpeg,
        "1.2.840.10008.1.2.4.51": _lossy_jpeg,
        "1.2.840.10008.1.2.4.53": _lossy_jpeg,
        "1.2.840.10008.1.2.4.55": _lossy_jpeg,
        "1.2.840.10008.1.2.4.57": _lossless_jpeg,
        "1.2.840.10008.1.2.4.70": _lossless_jpeg,
        "1.2.840.10008.1.2.4.80": _jpeg_ls,
        "1.2.840.10008.1.2.4.81": _jpeg_ls,
        "1.2.840.10008.1.2.4.90": _jpeg_2000,
        "1.2.840.10008.1.2.4.91": _jpeg_2000,
        "1.2.840.10008.1.2.4.201": _high_throughput_jpeg_2000,
        "1.2.840.10008.1.2.4.202": _high_throughput_jpeg_2000,
        "1.2.840.10008.1.2.4.203": _high_throughput_jpeg_2000,
        RUN_LENGTH_SYNTAX: _run_length,
    }
)

COMPRESSED_SYNTAXES: Final = frozenset(_DECODERS)
"""Every compressed transfer syntax that this device reads."""
JPEG_2000_SYNTAXES: Final = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})


def refuse_unreadable_syntax(transfer_syntax_uid: str) -> None:
    """Raise InputError where no decoder knows the transfer syntax."""
    if is_encapsulated(transfer_syntax_uid) and transfer_syntax_uid not in _DECODERS:
        raise InputError(
            f"The pixels are compressed in a way this device does not read: {UID(transfer_syntax_uid).name}.",
            remedy=_SEND_OTHERWISE,
        )


def decode(codestream: bytes, pixel_format: PixelFormat, out: Samples | None = None) -> Samples:
    """The samples of one frame, written into `out` where the decoder can (then `out` itself is returned).

    Raises InputError where the codestream is damaged or does not hold what the header declares.
    """
    refuse_unreadable_syntax(pixel_format.transfer_syntax_uid)
    _refuse_without_end(codestream, pixel_format.transfer_syntax_uid)
    decoder = _DECODERS[pixel_format.transfer_syntax_uid]
    try:
        samples = decoder(codestream, pixel_format, out)
    except (ValueError, RuntimeError, NotImplementedError, TypeError) as error:
        raise InputError(
            "The compressed pixel data are damaged or cut off.",
            remedy="Send the image again from the modality.",
        ) from error
    if samples.shape[:2] != (pixel_format.rows, pixel_format.columns):
        raise InputError(
            f"The header declares {pixel_format.rows} x {pixel_format.columns} pixels, the compressed image "
            f"has {' x '.join(map(str, samples.shape))}.",
            remedy="Send the image again from the modality.",
        )
    return samples


def _refuse_without_end(codestream: bytes, transfer_syntax_uid: str) -> None:
    """Refuse a cut-off codestream: decoders paint what it lacks in plain grey, which looks like anatomy."""
    if transfer_syntax_uid == RUN_LENGTH_SYNTAX:
        return
    if not has_end(codestream):
        raise InputError(
            f"The compressed image is cut off: its {len(codestream):,} bytes have no end mark.",
            remedy="Send the image again from the modality.",
        )


def has_end(codestream: bytes) -> bool:
    """Whether a codestream (of any kind but run lengths) was not cut off."""
    return END_OF_IMAGE in codestream[-_TRAILING_BYTES:]


END_OF_IMAGE: Final = b"\xff\xd9"
"""EOI of JPEG and JPEG-LS, EOC of JPEG 2000: the same two bytes, which coded pixels never contain."""
_TRAILING_BYTES: Final = 1024
"""Padding after the end mark: one byte by the standard, more in the wild."""
