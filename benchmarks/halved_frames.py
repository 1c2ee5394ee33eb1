# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a network says to a frame decoded without its finest wavelet levels, beside the whole frame.

`python -m benchmarks.halved_frames --data DATA --task chest_triage --json FILE [--longer-px N] [--count N]`

Films with labels are kept at 512 pixels. Each is enlarged to the size of a detector, given quantum noise so
that lossless codecs reach the 2:1 of real radiographs, encoded as HTJ2K, and decoded by the appliance's own
code after 0, 1 and 2 halvings; every tenth also as JPEG 2000, whose halved samples have to be the same. What
the network can see (160 or 192 periods) is real; what lies beyond is noise. Frames that really are large are
judged beside, without labels. All films were seen in training: two pictures are compared, not a network with
the truth.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

from appliance.domain.acquisition import PixelFormat
from appliance.domain.card import ModelCard
from appliance.domain.image import JPEG_2000_LOSSLESS, PixelImage
from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.intake.halved import decode_halved
from appliance.models.bundle import read_unsigned
from appliance.models.registry import shipped_models
from benchmarks.halved_judging import Judged, answer, judge, judge_real, spread
from export.gate_report import Limits
from export.reference.labelled_films import SEED, TASKS, films_of, labels_of
from export.side_by_side import FLOAT32_ENGINE

HTJ2K: Final = "1.2.840.10008.1.2.4.201"
HALVINGS: Final = (1, 2)
LONGER_PX: Final = 2560
"""A middling detector: halved once 1280, twice 640."""
BITS: Final = 14
NOISE: Final = 90.0
"""Standard deviation at full scale; it falls with the root of the signal, as quantum noise does."""
DARKEST, BRIGHTEST = 300.0, 15_800.0
"""Of the film's grey values in the frame: detectors use neither end of their range."""
EACH_TENTH: Final = 10
LEAST_REAL_PX: Final = 1500
"""Of the longer side of a frame that counts as large by itself."""


def detector_frame(film: NDArray[np.uint8], *, longer_px: int, seed: int) -> NDArray[np.uint16]:
    """The film as a detector of that size would have given it."""
    scale = longer_px / max(film.shape)
    size = (round(film.shape[1] * scale), round(film.shape[0] * scale))
    large = cv2.resize(film.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    grey = DARKEST + np.clip(large, 0, 255) * np.float32((BRIGHTEST - DARKEST) / 255)
    noise = np.random.default_rng(seed).standard_normal(grey.shape, dtype=np.float32)
    grey += noise * np.float32(NOISE) * np.sqrt(grey / np.float32(2**BITS - 1))
    return np.asarray(np.clip(np.rint(grey), 0, 2**BITS - 1), np.uint16)


def pictures(frame: NDArray[np.uint16], *, bits: int, both: bool, inverted: bool = False) -> list[PixelImage]:
    """The whole frame, and those of `HALVINGS`. Raises ValueError where the two codecs differ (`both`)."""
    codestream = bytes(imagecodecs.htj2k_encode(frame, reversible=True))
    found = [_image(frame, frame.shape, 0, bits, inverted)]
    for halvings in HALVINGS:
        halved = decode_halved(codestream, _format(HTJ2K, frame, bits), halvings)
        if halved is None:
            raise ValueError("A frame cannot be halved.")
        if both:
            other = bytes(
                imagecodecs.jpeg2k_encode(
                    frame, level=0, codecformat="j2k", reversible=True, bitspersample=bits
                )
            )
            told = decode_halved(other, _format(JPEG_2000_LOSSLESS, frame, bits), halvings)
            if told is not None and not np.array_equal(told, halved):
                raise ValueError("JPEG 2000 and HTJ2K give different halved frames.")
        found.append(_image(halved, frame.shape, halvings, bits, inverted))
    return found


def _format(syntax: str, frame: NDArray[np.uint16], bits: int) -> PixelFormat:
    return PixelFormat(
        transfer_syntax_uid=syntax,
        rows=frame.shape[0],
        columns=frame.shape[1],
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=bits,
        pixel_representation=0,
    )


def _image(
    stored: NDArray[np.uint16], whole: tuple[int, ...], halvings: int, bits: int, inverted: bool
) -> PixelImage:
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=0.0,
        inverted=inverted,
        stored_range=(0, 2**bits - 1),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
        halvings=halvings,
        whole_px=(whole[0], whole[1]) if halvings else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealFrame:
    """A frame that is large by itself, of its own noise and sharpness."""

    name: str
    stored: NDArray[np.uint16]
    bits: int
    inverted: bool


def real_frames(data: Path, task: str) -> Iterator[RealFrame]:
    """Those of the data beside the repository; limbs only for the fracture network."""
    limbs = sorted((data / "xray" / "native").glob("fracatlas*")) if task == "fracture_triage" else []
    for path in limbs:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        stored = np.asarray(grey, np.uint16) * np.uint16(16)
        yield RealFrame(name=path.name, stored=stored, bits=12, inverted=False)
    for path in sorted((data / "ct" / "dx-cr").glob("[CD][RX]_*.dcm")):
        dataset = dcmread(path)
        if max(dataset.Rows, dataset.Columns) >= LEAST_REAL_PX:
            yield RealFrame(
                name=path.name,
                stored=dataset.pixel_array.astype(np.uint16),
                bits=int(dataset.BitsStored),
                inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
            )


def measure(data: Path, task: str, *, longer_px: int, count: int | None) -> dict[str, Any]:
    """All films of a task, and the frames that are large by themselves."""
    folder = shipped_models() / task
    card = read_unsigned(folder).card
    random = np.random.default_rng(SEED)
    films = films_of(task, data)
    if count is not None and count < len(films):
        films = [films[row] for row in np.sort(random.choice(len(films), count, replace=False))]
    answers, truths, ratios = [], [], []
    with load_engine(FLOAT32_ENGINE, folder / "model.onnx", threads=1) as engine:
        for number, film in enumerate(films):
            turns = int(random.integers(4)) if task == "radiograph_view" else 0
            pixels = cv2.imread(str(film.path), cv2.IMREAD_GRAYSCALE)
            assert pixels is not None
            pixels = np.ascontiguousarray(np.rot90(pixels, -turns))
            frame = detector_frame(np.asarray(pixels, np.uint8), longer_px=longer_px, seed=number)
            both = number % EACH_TENTH == 0
            found = pictures(frame, bits=BITS, both=both)
            answers.append([answer(engine, card, one) for one in found])
            truths.append(labels_of(task, film, turns))
            if both:
                print(f"{number} of {len(films)}", flush=True)
                ratios.append(frame.nbytes / len(imagecodecs.htj2k_encode(frame, reversible=True)))
        real = [_judged(engine, card, one) for one in real_frames(data, task)]
        words = engine.describe().words
    judged = {str(halvings): judge(card, films, truths, answers, at) for at, halvings in enumerate(HALVINGS)}
    verdicts = [
        Judged(
            smallest_halved_px=-(-longer_px >> halvings),
            accepted=not judged[str(halvings)]["reasons"],
            reasons=tuple(judged[str(halvings)]["reasons"]),
        )
        for halvings in HALVINGS
    ]
    return {
        "format": 1,
        "model": card.identity,
        "engine": words,
        "films": len(films),
        "groups": len({film.group for film in films}),
        "longer_px": longer_px,
        "lossless_ratio": spread(np.array(ratios)),
        "limits": {"flipped_share": Limits().flipped_share, "auc_change": Limits().auc_change},
        "halvings": judged,
        "verdicts": [asdict(one) for one in verdicts],
        "real_frames": real,
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _judged(engine: Engine, card: ModelCard, real: RealFrame) -> dict[str, Any]:
    found = pictures(real.stored, bits=real.bits, both=True, inverted=real.inverted)
    told = judge_real(card, [answer(engine, card, one) for one in found])
    return {"file": real.name, "shape": list(real.stored.shape), **told}


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--longer-px", type=int, default=LONGER_PX)
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--json", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    report = measure(arguments.data, arguments.task, longer_px=arguments.longer_px, count=arguments.count)
    arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for verdict in report["verdicts"]:
        print(verdict)


if __name__ == "__main__":
    main()
