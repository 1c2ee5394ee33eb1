# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One shot, without a service: look into the files, gather them, run the three lanes, write the results.

Files are read where they lie; nothing is copied, moved or changed. The same jail, assembly, line and
renderers as in the service, so the answer is the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog

from appliance.clock import NS_PER_MS, Clock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Instance, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.finding import LocalThreshold
from appliance.domain.job import JobState, Lane
from appliance.domain.result import LaneResult, StageTiming
from appliance.durable import write_durably
from appliance.errors import EngineError, InputError
from appliance.intake.assembly import MOST_COMPARED, all_given, arrive
from appliance.intake.description import FileState
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.intake.nifti import read_nifti
from appliance.intake.nifti_volume import is_nifti
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.outputs.rendering import render_everything
from appliance.pipeline.bench import Bench, as_signed
from appliance.pipeline.line import run_lane
from appliance.pipeline.report import AcquisitionReport, acquisition_line, fault_words, set_aside_line

HASH_CHUNK_BYTES: Final = 1 << 20

SAME_IMAGE: Final = "The same image came under another name."

SiteThresholds = Callable[[ModelCard], Mapping[tuple[str, str], LocalThreshold]]
Progress = Callable[[str, int, int], None]
"""Called with a word for the phase, how much of it is done, and how much there is."""


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """Acquisitions as they grow while files are looked into."""

    by_id: dict[str, Acquisition] = field(default_factory=dict)
    of_series: dict[str, set[str]] = field(default_factory=dict)
    of_sop: dict[str, set[str]] = field(default_factory=dict)

    def holds(self, instance: Instance, jail: Jail) -> bool:
        """Whether this image is there already under another name, in these bytes or in others."""
        named = [
            held
            for known in sorted(self.of_sop.get(instance.sop_instance_uid, ()))
            for held in self.by_id[known].instances
            if held.sop_instance_uid == instance.sop_instance_uid
        ]
        if any(held.sha256 == instance.sha256 for held in named):
            return True
        return any(jail.same_content(instance.path, held.path) for held in named[:MOST_COMPARED])

    def add(self, instance: Instance) -> None:
        """A new one, in its place."""
        ids = self.of_series.get(instance.series_instance_uid, set()) | self.of_sop.get(
            instance.sop_instance_uid, set()
        )
        siblings = tuple(self.by_id[known] for known in sorted(ids))
        changes = arrive(instance, urgency=Urgency.LIVE, siblings=siblings)
        assert changes  # what is held already was not to be added
        for change in changes:
            known = change.acquisition.acquisition_id
            self.by_id[known] = change.acquisition
            self.of_series.setdefault(instance.series_instance_uid, set()).add(known)
        self.of_sop.setdefault(instance.sop_instance_uid, set()).add(changes[0].acquisition.acquisition_id)

    def add_volume(self, acquisition: Acquisition) -> bool:
        """One that is whole by itself. False: it is there already."""
        known = acquisition.acquisition_id
        if known in self.by_id:
            return False
        self.by_id[known] = acquisition
        self.of_series.setdefault(acquisition.first.series_instance_uid, set()).add(known)
        return True

    def settled(self) -> Iterator[Acquisition]:
        """All of them: nothing more will come."""
        for acquisition in self.by_id.values():
            others = tuple(
                self.by_id[known] for known in self.of_series[acquisition.first.series_instance_uid]
            )
            yield all_given(acquisition, siblings=others)


def files_below(paths: tuple[Path, ...], *, but: tuple[Path, ...] = ()) -> list[Path]:
    """Everything that was named or lies below a named folder, once, in order of name; no links followed.

    Links to folders and folders that cannot be listed are among them: they get their line, too. The folders
    in `but` are passed over: what an earlier run has made is no input.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112  (pathlib raises for names that are too long)
            found[path] = None
            continue
        for folder, subfolders, names in os.walk(path, onerror=lambda error: _unlisted(error, found)):
            here = Path(folder).resolve()
            subfolders[:] = sorted(name for name in subfolders if here / name not in but)
            links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114,PTH118
            found.update((Path(folder) / name, None) for name in sorted([*names, *links]))
    return list(found)


def _unlisted(error: OSError, found: dict[Path, None]) -> None:
    if error.filename is not None:
        found[Path(os.fsdecode(error.filename))] = None


def process_files(
    files: list[Path],
    *,
    settings: Settings,
    out: Layout,
    registry: Registry,
    clock: Clock,
    progress: Progress,
    nifti_modality: str | None = None,
    thresholds: SiteThresholds = as_signed,
) -> Iterator[dict[str, Any]]:
    """One line (docs/json.md) for each acquisition, and for each file that gives none; no file stops it.

    `nifti_modality`: what made the NIfTI volumes, which cannot say so themselves. `thresholds`: operating
    points that the site has moved.
    """
    with ExitStack() as owned:
        jail = owned.enter_context(Jail(settings.reading, clock))
        gathered = _Gathered()
        for count, file in enumerate(files):
            progress("looking", count, len(files))
            line = _look(
                file,
                jail,
                gathered,
                max_bytes=settings.intake.max_file_bytes,
                nifti_modality=nifti_modality,
            )
            if line is not None:
                yield line
        bench = Bench(models=registry, clock=clock, layout=out, between=lambda: None, thresholds=thresholds)
        acquisitions = list(gathered.settled())
        for count, acquisition in enumerate(acquisitions):
            progress("answering", count, len(acquisitions))
            yield _answer(acquisition, jail, bench)
        progress("answering", len(acquisitions), len(acquisitions))


def _look(
    file: Path, jail: Jail, gathered: _Gathered, *, max_bytes: int, nifti_modality: str | None
) -> dict[str, Any] | None:
    """Add the file to what was gathered; or the line that says why not."""
    try:
        status, reason = _take(file, jail, gathered, max_bytes=max_bytes, nifti_modality=nifti_modality)
    except InputError as error:
        status, reason = "quarantined", str(error)
    except OSError as error:
        status, reason = "quarantined", f"Cannot be read: {error.strerror}."
    return None if status is None else set_aside_line(file=str(file), status=status, reason=reason)


def _take(
    file: Path, jail: Jail, gathered: _Gathered, *, max_bytes: int, nifti_modality: str | None
) -> tuple[str | None, str]:
    """What became of the file, and why; None when it is one of the gathered images."""
    if file.is_symlink() or not file.is_file():
        return "quarantined", f"Not read: it is {_what_else(file)}."
    size = file.stat().st_size
    if size > max_bytes:
        limit = f"more than the limit of {max_bytes} (intake.max_file_bytes)"
        return "quarantined", f"Not read: {size} bytes, {limit}."
    if is_nifti(file):
        volume = read_nifti(file, jail, modality=nifti_modality, sha256=_sha256(file))
        return (None, "") if gathered.add_volume(volume) else ("ignored", SAME_IMAGE)
    return _take_dicom(file, jail, gathered)


def _take_dicom(file: Path, jail: Jail, gathered: _Gathered) -> tuple[str | None, str]:
    description = jail.describe(file)
    words = " ".join(filter(None, (description.reason, description.remedy)))
    if description.state is FileState.LEFT_ALONE:
        return "ignored", words
    if description.state is not FileState.WHOLE or description.instance is None:
        return "quarantined", words
    instance = replace(description.instance, sha256=_sha256(file), path=file)
    if gathered.holds(instance, jail):
        return "ignored", SAME_IMAGE
    gathered.add(instance)
    return None, ""


def _what_else(file: Path) -> str:
    """What a name stands for that is no regular file."""
    if file.is_symlink():
        return "a link"
    if file.is_dir():
        return "a folder that cannot be listed"
    return "no regular file" if file.exists() else "not there"


def _answer(acquisition: Acquisition, jail: Jail, bench: Bench) -> dict[str, Any]:
    """Run the lanes; an error of one lane is told and does not stop the others."""
    frames = open_frames(acquisition, jail)
    started_ns = bench.clock.monotonic_ns()
    states: list[tuple[JobState, str | None]] = []
    results: list[LaneResult] = []
    outputs: list[str] = []
    committed: dict[str, float] = {}
    log = structlog.get_logger()
    for lane in Lane:
        try:
            result = run_lane(lane, acquisition, frames, bench)
            results.append(
                replace(result, timings=(StageTiming(stage="landed", duration_ms=0.0), *result.timings))
            )
            committed[lane.value] = (bench.clock.monotonic_ns() - started_ns) / NS_PER_MS
            outputs += _render(acquisition, result, bench)
            states.append((JobState.DONE, None))
        except InputError as error:
            states.append((JobState.QUARANTINED, str(error)))
        except EngineError as error:
            states.append((JobState.FAILED, str(error)))
        except OSError:
            raise  # the folder for the results, not the image
        except Exception as error:  # this process's one catch-all: the others get their answer
            log.error("lane failed", lane=lane.value, exc_info=error)
            states.append((JobState.FAILED, fault_words(error)))
    return acquisition_line(
        AcquisitionReport(
            files=tuple(str(instance.path) for instance in acquisition.instances),
            acquisition_id=acquisition.acquisition_id,
            version=acquisition.version,
            first=acquisition.first,
            kind=acquisition.kind,
            completeness=acquisition.completeness,
            evidence=acquisition.evidence,
            states=tuple(states),
            results=tuple(results),
            data=bench.layout.data,
            outputs=tuple(outputs),
            committed_ms=committed,
        )
    )


def _render(acquisition: Acquisition, result: LaneResult, bench: Bench) -> Iterator[str]:
    folder = bench.layout.results_of(acquisition.acquisition_id, acquisition.version)
    for rendered in render_everything(acquisition, result):
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / rendered.file_name, rendered.content)
        yield str(folder / rendered.file_name)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
