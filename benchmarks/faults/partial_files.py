# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: no file is read before its writer is done with it, and none that is whole is missed.

Writers that are slow, pause, close and open again, hold the file open when all is written, set the length
first, or rename at the end; and files of several kinds that end after each 4 KB for ever.
"""

from __future__ import annotations

import hashlib
import heapq
import io
import itertools
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import cv2
import numpy as np
from pydicom import dcmread, uid
from pydicom.encaps import encapsulate

from appliance.clock import NS_PER_S
from appliance.config import MIB
from appliance.intake.description import FileState
from appliance.intake.look import describe
from benchmarks.faults.figure import Run
from benchmarks.faults.intake_site import LANDED_LIMIT_S, Site
from benchmarks.faults.tiny_images import SIZE_PX, tiny_radiograph

WRITERS: Final = 1_000
AT_ONCE: Final = 250
CUT_EVERY_BYTES: Final = 4096
ROWS: Final = 16_384
"""Half a megabyte of pixels: 128 places to cut."""
LONGEST_PAUSE_S: Final = 8.0
SEED: Final = 55
TRUNCATED_AFTER_S: Final = 2.0
MANNERS: Final = ("held open", "opened again", "renamed", "length first")


@dataclass(slots=True)
class Writer:
    """One file that is being written, in pieces."""

    path: Path
    manner: str
    pieces: list[bytes]
    sha256: str
    at_byte: int = 0
    file: IO[bytes] | None = None
    done_ns: int = field(default=0)

    def write(self) -> bool:
        """The next piece. False: all was written, and now the file is let go."""
        if not self.pieces:
            if self.file is not None:
                self.file.close()
            if self.manner == "renamed":
                self.path.rename(self.path.with_suffix(".dcm"))
            return False
        piece = self.pieces.pop(0)
        if self.manner in ("held open", "length first"):
            if self.file is None:
                self.file = self.path.open("wb", buffering=0)
                if self.manner == "length first":
                    self.file.truncate(len(piece) + sum(map(len, self.pieces)))
            self.file.write(piece)
        else:
            with self.path.open("ab") as file:
                file.write(piece)
        return bool(self.pieces) or self.manner != "opened again"  # that one is closed with its last piece


def draw_writers(folder: Path, numbers: range, chance: random.Random) -> list[Writer]:
    """Writers of images that are all different."""
    writers = []
    for number in numbers:
        content = tiny_radiograph(number, rows=chance.choice((16, 256, 2048)))
        cuts = sorted(chance.sample(range(1, len(content)), k=chance.randint(1, 5)))
        pieces = [content[start:end] for start, end in itertools.pairwise([0, *cuts, len(content)])]
        manner = chance.choice(MANNERS)
        suffix = ".part" if manner == "renamed" else ".dcm"
        path = folder / f"{number:06d}{suffix}"
        writers.append(Writer(path, manner, pieces, hashlib.sha256(content).hexdigest()))
    return writers


def let_write(site: Site, writers: list[Writer], chance: random.Random, *, longest_pause_s: float) -> None:
    """All at once, each in its own time."""
    due = [(site.clock.monotonic_ns(), number) for number in range(len(writers))]
    heapq.heapify(due)
    while due:
        due_ns, number = heapq.heappop(due)
        site.pause(max(0, due_ns - site.clock.monotonic_ns()) / NS_PER_S)
        before_ns = site.clock.monotonic_ns()
        if writers[number].write():
            pause_s = chance.choice((0.01, 0.1, 0.5, 1.0)) * chance.uniform(0, longest_pause_s)
            heapq.heappush(due, (site.clock.monotonic_ns() + round(pause_s * NS_PER_S), number))
        else:
            writers[number].done_ns = before_ns


def judge(site: Site, writers: list[Writer]) -> dict[str, Any]:
    """What was taken early, and what was not taken at all."""
    expected = {writer.sha256: writer for writer in writers}
    site.wait(lambda: site.landed() >= len(writers), LANDED_LIMIT_S / 10)
    rows = site.database.read("SELECT sha256, status, landed_ns FROM file")
    early = [sha256 for sha256, _, _ in rows if sha256 not in expected]
    early += [s for s, _, landed_ns in rows if s in expected and landed_ns < expected[s].done_ns]
    taken = {sha256 for sha256, status, _ in rows if status == "accepted"}
    waits_s = sorted((ns - expected[s].done_ns) / NS_PER_S for s, _, ns in rows if s in expected)
    return {
        "writers": len(writers),
        "manners": dict(Counter(writer.manner for writer in writers)),
        "early": len(early),
        "missed": len(expected.keys() - taken),
        "done_to_landed_s": {
            "median": round(waits_s[len(waits_s) // 2], 2) if waits_s else None,
            "longest": round(waits_s[-1], 2) if waits_s else None,
        },
    }


def kinds() -> dict[str, bytes]:
    """A file of each kind that knows its end in another way."""
    plain = tiny_radiograph(1, rows=ROWS)
    made = {"plain": plain}
    for name, syntax in (
        ("implicit", uid.ImplicitVRLittleEndian),
        ("deflated", uid.DeflatedExplicitVRLittleEndian),
    ):
        dataset = dcmread(io.BytesIO(plain))
        dataset.PixelData = np.random.default_rng(SEED).integers(0, 4096, ROWS * SIZE_PX, "<u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        made[name] = _saved(dataset)
    dataset = dcmread(io.BytesIO(plain))
    side = 512
    frames = np.random.default_rng(SEED).integers(0, 256, (4, side, side), "u1")
    dataset.Rows = dataset.Columns = side
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = encapsulate([cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    made["compressed"] = _saved(dataset)
    return made


def _saved(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(
        stream,
        enforce_file_format=True,
        implicit_vr=dataset.file_meta.TransferSyntaxUID == uid.ImplicitVRLittleEndian,
        little_endian=True,
    )
    return stream.getvalue()


def cut_everywhere(folder: Path) -> dict[str, Any]:
    """Look into each kind of file, cut after each 4 KB: what is said to be whole and is not."""
    counts: dict[str, Any] = {"cuts": {}, "said_whole": [], "whole_missed": []}
    path = folder / "cut.dcm"
    for kind, content in kinds().items():
        cuts = [*range(CUT_EVERY_BYTES, len(content), CUT_EVERY_BYTES), len(content) - 2]
        for cut in cuts:
            path.write_bytes(content[:cut])
            if describe(path, max_frame_bytes=MIB * 8).state is FileState.WHOLE:
                counts["said_whole"].append(f"{kind} cut at {cut:,} of {len(content):,} bytes")
        path.write_bytes(content)
        described = describe(path, max_frame_bytes=MIB * 8)
        if described.state is not FileState.WHOLE:
            counts["whole_missed"].append(f"{kind}: {described.reason}")
        counts["cuts"][kind] = len(cuts)
    return counts


def truncated_for_ever(site: Site, *, every: int) -> dict[str, Any]:
    """Cut files that stay as they are are set aside, each with its reason; then their rest comes."""
    content = tiny_radiograph(7, rows=ROWS)
    cuts = range(CUT_EVERY_BYTES, len(content), CUT_EVERY_BYTES * every)
    for cut in cuts:
        (site.layout.inbox / f"cut{cut:09d}.dcm").write_bytes(content[:cut])
    site.wait(lambda: site.landed() >= len(cuts), LANDED_LIMIT_S / 10)
    rows = site.database.read("SELECT status, reason FROM file")
    aside = sum(status == "quarantined" and reason.startswith("truncated") for status, reason in rows)
    for cut in cuts:
        with (site.layout.inbox / f"cut{cut:09d}.dcm").open("ab") as file:
            file.write(content[cut:])
    whole = hashlib.sha256(content).hexdigest()

    def arrived() -> int:
        rows = site.database.read("SELECT repeats + 1 FROM file WHERE sha256 = ?", (whole,))
        return int(rows[0][0]) if rows else 0

    site.wait(lambda: arrived() >= len(cuts), LANDED_LIMIT_S / 10)
    return {"cuts": len(cuts), "set_aside": aside, "taken_when_whole": arrived()}


def run(run: Run) -> None:
    """The figure."""
    total = run.rounds(WRITERS)
    counts = run.counted() or {"writers": [], "failures": []}
    chance = random.Random(SEED)  # noqa: S311 - the same writers in every run
    if "cut_everywhere" not in counts:
        with tempfile.TemporaryDirectory(dir=run.folder) as place:
            counts["cut_everywhere"] = cut_everywhere(Path(place))
        run.note(counts)
    if "truncated_for_ever" not in counts:
        folder = run.folder / "truncated"
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
        with Site(folder, SCANSIDE__INTAKE__TRUNCATED_AFTER_S=str(TRUNCATED_AFTER_S)) as site:
            counts["truncated_for_ever"] = truncated_for_ever(site, every=1)
        shutil.rmtree(folder)
        run.note(counts)
    while (done := sum(one["writers"] for one in counts["writers"])) < total:
        run.progress("writers", done, total)
        folder = run.folder / f"writers{done}"
        shutil.rmtree(folder, ignore_errors=True)
        chance.seed(f"{SEED} {done}")
        with Site(folder) as site:
            numbers = range(done, min(total, done + AT_ONCE))
            writers = draw_writers(site.layout.inbox, numbers, chance)
            let_write(site, writers, chance, longest_pause_s=LONGEST_PAUSE_S)
            counts["writers"].append(judge(site, writers))
        shutil.rmtree(folder)
        run.note(counts)
    counts["failures"] = failures(counts)
    run.note(counts)
    run.progress("writers", total, total)


def failures(counts: dict[str, Any]) -> list[str]:
    """What was not kept, in words."""
    found = [*counts["cut_everywhere"]["said_whole"], *counts["cut_everywhere"]["whole_missed"]]
    cut = counts["truncated_for_ever"]
    if not cut["cuts"] == cut["set_aside"] == cut["taken_when_whole"]:
        found.append(f"truncated for ever: {cut}")
    sums = {name: sum(one[name] for one in counts["writers"]) for name in ("early", "missed")}
    found += [f"{count} files {name}" for name, count in sums.items() if count]
    return found
