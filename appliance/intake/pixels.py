# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One frame of a DICOM file into a buffer, as grey samples, and how to read them. Runs inside the jail."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.utils import get_j2k_parameters

from appliance.domain.acquisition import PixelFormat
from appliance.errors import InputError
from appliance.intake.decoders import JPEG_2000_SYNTAXES, decode
from appliance.intake.extent import Fragments, frame_bytes, is_encapsulated, measure, walk_fragments
from appliance.intake.frame_header import FrameHeader
from appliance.intake.grey import luminance, palette_grey
from appliance.intake.halved import decode_halved, deliver_halved, may_be_halved
from appliance.intake.header import read_pixel_format
from appliance.intake.opening import DicomFile
from appliance.intake.rendition import Rendition, read_rendition

_BIG_ENDIAN: Final = frozenset({"1.2.840.10008.1.2.2", "1.2.840.113619.5.2"})
_CHUNK_BYTES: Final = 256 * 1024
"""Read and corrected piece by piece: a piece stays in the processor's second-level cache."""
_PACKED_BITS: Final = 12
_MOST_INTEGER_BITS: Final = 16
_READABLE_BITS: Final = (1, 8, _PACKED_BITS, 16)
_MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")


class FrameReader:
    """The frames of one parsed file. Raises InputError at once where none of them can be read."""

    def __init__(self, file: DicomFile, *, max_frame_bytes: int) -> None:
        self._file = file
        if file.pixel_element is None:
            raise InputError(
                "The file holds no pixel data.", remedy="Send the image again from the modality."
            )
        self._format = read_pixel_format(file, max_frame_bytes=max_frame_bytes)
        refuse_unreadable_format(self._format, is_float=self._is_float)
        extent = measure(file, self._format)
        if file.cut_short or not extent.whole:
            raise InputError(
                f"The pixel data are cut off after {extent.present_bytes:,} bytes.",
                remedy="Send the image again from the modality.",
            )
        self._fragments: Fragments | None = None

    @property
    def _is_float(self) -> bool:
        assert self._file.pixel_element is not None
        return self._file.pixel_element.keyword != "PixelData"

    @property
    def _dtype(self) -> np.dtype[Any]:
        """Of the samples as they are given out, before any table."""
        if self._is_float:
            return np.dtype(np.float32)
        size = 1 if self._format.bits_allocated <= 8 else 2
        return np.dtype(f"{'iu'[self._format.pixel_representation == 0]}{size}")

    def needed_bytes(self) -> int:
        """How large the buffer of any frame must be. A look-up table may make 16-bit values of 8-bit ones."""
        has_table = "ModalityLUTSequence" in self._file.dataset
        is_palette = self._format.photometric_interpretation == "PALETTE COLOR"
        size = max(self._dtype.itemsize, 2 if has_table or is_palette else 1)
        return self._format.rows * self._format.columns * size

    def read(self, index: int, buffer: memoryview, *, halvings: int = 0) -> FrameHeader:
        """Decode frame `index` into the start of `buffer`, row after row, and say how to read it.

        `halvings`: see `Frames.read`.
        """
        if not 0 <= index < self._format.number_of_frames:
            raise InputError(
                f"Frame {index + 1} was asked for, the file has {self._format.number_of_frames}.",
                remedy="This is a fault of the appliance: report it with the support bundle.",
            )
        shape = (self._format.rows, self._format.columns)
        target = np.frombuffer(buffer, self._dtype, count=shape[0] * shape[1]).reshape(shape)
        rendition = read_rendition(self._file, self._format, index, is_float=self._is_float)
        is_grey = self._format.photometric_interpretation in _MONOCHROME
        if halvings and is_grey and may_be_halved(self._file.dataset, self._format, rendition):
            halved = decode_halved(self._codestream(index), self._format, halvings)
            if halved is not None:
                return deliver_halved(halved, buffer, rendition, halvings=halvings, whole_px=shape)
        if is_encapsulated(self._format.transfer_syntax_uid):
            samples = self._decoded(index, target if is_grey else None)
        elif is_grey and self._format.bits_allocated in (8, 16) and not self._is_float:
            self._read_plain(index, target)
            samples = target
        else:
            samples = self._native(index)
        if not is_grey:
            samples = self._to_grey(samples)
        return _deliver(samples, buffer, rendition, from_colour=not is_grey)

    def _read_plain(self, index: int, target: NDArray[Any]) -> None:
        """Straight from the file into the buffer; unused bits are cleared on the way."""
        element = self._file.pixel_element
        assert element is not None
        flat = target.reshape(-1)
        stream = self._file.stream
        stream.seek(element.value_start + index * frame_bytes(self._format))
        step = _CHUNK_BYTES // flat.itemsize
        big_endian = self._format.transfer_syntax_uid in _BIG_ENDIAN and flat.itemsize > 1
        unused_bits = self._format.bits_allocated - self._format.bits_stored
        for start in range(0, flat.size, step):
            piece = flat[start : start + step]
            if stream.readinto(piece.data.cast("B")) != piece.nbytes:
                raise InputError("The file became shorter while it was read.", remedy="Send the image again.")
            if big_endian:
                piece.byteswap(inplace=True)
            clear_unused_bits(piece, unused_bits)

    def _native(self, index: int) -> NDArray[Any]:
        """The rarer native layouts: colour, one-bit, packed 12-bit, floating point."""
        element = self._file.pixel_element
        assert element is not None
        rows, columns = self._format.rows, self._format.columns
        order = ">" if self._format.transfer_syntax_uid in _BIG_ENDIAN else "<"
        self._file.stream.seek(element.value_start)
        if self._format.bits_allocated == 1:
            return self._one_bit(index)
        size = frame_bytes(self._format)
        self._file.stream.seek(element.value_start + index * size)
        content = self._file.stream.read(size)
        if self._is_float:
            kind = f"{order}f{self._format.bits_allocated // 8}"
            return np.frombuffer(content, kind).reshape(rows, columns)
        if self._format.bits_allocated == _PACKED_BITS:
            unpacked = unpack_twelve_bits(content, rows * columns).reshape(rows, columns)
            return clear_unused_bits(unpacked.view(self._dtype), 16 - self._format.bits_stored)
        samples = np.frombuffer(content, f"{order}u{self._format.bits_allocated // 8}")
        return self._colour_layout(samples.astype(samples.dtype.newbyteorder("=")))

    def _one_bit(self, index: int) -> NDArray[Any]:
        """One-bit frames follow each other without a gap, lowest bit first (PS3.5 section 8.1.1)."""
        pixels = self._format.rows * self._format.columns
        first_byte, first_bit = divmod(index * pixels, 8)
        self._file.stream.seek(first_byte, 1)
        content = self._file.stream.read((first_bit + pixels + 7) // 8)
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
        return bits[first_bit : first_bit + pixels].reshape(self._format.rows, self._format.columns)

    def _colour_layout(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Rows x columns (x samples), whichever way the planes were stored."""
        rows, columns, planes = self._format.rows, self._format.columns, self._format.samples_per_pixel
        if planes == 1:
            return samples.reshape(rows, columns)
        if self._format.photometric_interpretation == "YBR_FULL_422":
            return samples.reshape(rows, columns // 2, 4)[:, :, :2].reshape(rows, columns)  # Y1 Y2 Cb Cr
        if self._file.dataset.get("PlanarConfiguration") == 1:
            return np.moveaxis(samples.reshape(planes, rows, columns), 0, -1)
        return samples.reshape(rows, columns, planes)

    def _decoded(self, index: int, target: NDArray[Any] | None) -> NDArray[Any]:
        """Decompress; where the decoder takes our buffer, nothing is copied."""
        codestream = self._codestream(index)
        out = None
        if target is not None:
            signed = self._jpeg_2000(codestream).get("is_signed", False)  # all others decode to unsigned
            out = target.view(f"{'i' if signed else 'u'}{target.itemsize}")
        try:
            samples = decode(codestream, self._format, out)
        except InputError:
            # It may simply be of another depth than the header says, so that our buffer does not fit it:
            # decoded by itself, it is judged by its values.
            samples = decode(codestream, self._format)
        if target is None:
            return samples
        return self._as_declared(samples, codestream)

    def _as_declared(self, samples: NDArray[Any], codestream: bytes) -> NDArray[Any]:
        """Codestream samples in the header's type: signs restored, unused bits cleared."""
        if samples.ndim != 2:
            raise InputError(
                f"The header declares grey pixels, the compressed image has {samples.shape[-1]} colours.",
                remedy="Send the image again from the modality.",
            )
        bits = int(self._jpeg_2000(codestream).get("precision") or self._format.bits_stored)
        if samples.itemsize != self._dtype.itemsize:
            if samples.itemsize > self._dtype.itemsize:
                raise InputError(
                    f"The header declares {self._format.bits_allocated}-bit pixels, the compressed image has "
                    f"{8 * samples.itemsize}-bit ones.",
                    remedy="Send the image again from the modality.",
                )
            samples = samples.astype(self._dtype)
        return clear_unused_bits(samples.view(self._dtype), 8 * samples.itemsize - bits)

    def _jpeg_2000(self, codestream: bytes) -> dict[str, Any]:
        """Depth and sign as a JPEG 2000 codestream itself says them; empty for all others."""
        if self._format.transfer_syntax_uid not in JPEG_2000_SYNTAXES:
            return {}
        return get_j2k_parameters(codestream)

    def _codestream(self, index: int) -> bytes:
        """The compressed bytes of one frame, whichever way they were cut into fragments."""
        element = self._file.pixel_element
        assert element is not None
        if self._fragments is None:
            self._fragments = walk_fragments(self._file.stream, element, self._file.size_bytes)
        places = self._fragments.places
        if len(places) == self._format.number_of_frames:
            places = places[index : index + 1]
        elif self._format.number_of_frames > 1:
            return self._codestream_by_offsets(index)
        pieces = []
        for start, length in places:
            self._file.stream.seek(start)
            pieces.append(self._file.stream.read(length))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _codestream_by_offsets(self, index: int) -> bytes:
        """Several fragments per frame: the offset tables, or the end marks in the codestreams, tell which."""
        element = self._file.pixel_element
        assert element is not None
        self._file.stream.seek(element.value_start)
        dataset = self._file.dataset
        extended = None
        if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
            extended = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
        return get_frame(
            self._file.stream,
            index,
            extended_offsets=extended,
            number_of_frames=self._format.number_of_frames,
        )

    def _to_grey(self, samples: NDArray[Any]) -> NDArray[Any]:
        if self._format.photometric_interpretation == "PALETTE COLOR":
            return palette_grey(samples, self._file.dataset, self._format)
        return luminance(samples, self._format)


def clear_unused_bits(samples: NDArray[Any], unused_bits: int) -> NDArray[Any]:
    """Clear (or fill with the sign) what is above BitsStored, in place where it can be.

    Overlays of old images lie there, and PS3.5 section 8.1.1 promises nothing about these bits.
    """
    if unused_bits <= 0:
        return samples
    out = samples if samples.flags.writeable else samples.copy()
    if out.dtype.kind == "u":
        out &= out.dtype.type(2 ** (8 * out.itemsize - unused_bits) - 1)  # three times faster than shifts
        return out
    np.left_shift(out, unused_bits, out=out)
    np.right_shift(out, unused_bits, out=out)
    return out


def unpack_twelve_bits(content: bytes, pixels: int) -> NDArray[np.uint16]:
    """Two 12-bit samples from every three bytes, lowest bits first (retired; PS3.5-2011 annex D.1)."""
    padded = np.zeros((pixels + 1) // 2 * 3, np.uint8)
    packed = np.frombuffer(content, np.uint8)[: padded.size]
    padded[: packed.size] = packed
    triples = padded.reshape(-1, 3).astype(np.uint16)
    unpacked = np.empty((triples.shape[0], 2), np.uint16)
    unpacked[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    unpacked[:, 1] = triples[:, 1] >> 4 | triples[:, 2] << 4
    return unpacked.reshape(-1)[:pixels]


def refuse_unreadable_format(pixel_format: PixelFormat, *, is_float: bool) -> None:
    """Raise InputError, saying clearly what it is, where this device does not read such pixels."""
    bits = pixel_format.bits_allocated
    if is_float:
        return
    if bits not in _READABLE_BITS:
        raise InputError(
            f"The pixels have {bits} bits each (Bits Allocated); this device reads "
            f"{', '.join(map(str, _READABLE_BITS))} bits, up to {_MOST_INTEGER_BITS}, and floating point.",
            remedy="Export the image with 8 or 16 bits per pixel.",
        )
    photometric = pixel_format.photometric_interpretation
    if photometric not in _MONOCHROME and photometric not in _COLOUR:
        raise InputError(
            f"The meaning of the pixel values is not known: Photometric Interpretation {photometric!r}.",
            remedy="Ask the sender for a MONOCHROME or RGB export.",
        )
    if photometric in _COLOUR and photometric != "PALETTE COLOR" and pixel_format.samples_per_pixel < 3:
        raise InputError(
            f"The header contradicts itself: {photometric} with {pixel_format.samples_per_pixel} sample per "
            "pixel.",
            remedy="Ask the sender to export the image again.",
        )


_COLOUR: Final = frozenset({"PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})


def _deliver(
    samples: NDArray[Any], buffer: memoryview, rendition: Rendition, *, from_colour: bool
) -> FrameHeader:
    """Put the samples where the parent looks for them, tables applied, and describe them."""
    if rendition.modality_table is not None and not from_colour:
        samples = rendition.through_table(samples)
    dtype = samples.dtype.newbyteorder("=")
    if dtype.kind == "f":
        dtype = np.dtype(np.float32)
    target = np.frombuffer(buffer, dtype, count=samples.size).reshape(samples.shape)
    if target.ctypes.data != samples.ctypes.data:
        target[...] = samples
    return rendition.header(target, from_colour=from_colour)
