# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clinic in a temporary folder: a real store, real view files, invented patients."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.clock import ManualClock
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Kind,
    LandedFile,
    Patient,
    SeriesCounts,
    SliceRef,
    Urgency,
)
from appliance.domain.finding import Code, Finding, Refusal, decide
from appliance.domain.job import Job, Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.record import to_json
from appliance.domain.result import EngineUse, LaneResult
from appliance.domain.view import View
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import ProofFile, moment, write_proof
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.results import Results
from ui.records import BoardRecord
from ui.store_source import StoreSource

EIGHT_O_CLOCK = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)


def chest_like(rows: int, columns: int) -> NDArray[np.uint16]:
    """Two dark lungs, ribs, a spine and a heart: 12 bits, enough to see where things are."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = x / columns - 0.5, y / rows - 0.5
    body = 2600 * np.exp(-((x / 0.46) ** 8)) * np.exp(-(((y - 0.1) / 0.62) ** 10))
    for side in (-1, 1):
        lung = np.exp(-(((x - side * 0.19) / 0.15) ** 4) - ((y + 0.02) / 0.33) ** 4)
        body -= 1700 * lung
        ribs = np.sin((y + 0.35 * np.abs(x - side * 0.05)) * 62) > 0.72
        body += 260 * lung * ribs
    body += 900 * np.exp(-((x / 0.035) ** 4))
    body += 1100 * np.exp(-(((x - 0.08) / 0.13) ** 4) - ((y - 0.17) / 0.15) ** 4)
    body = cv2.GaussianBlur(body, (0, 0), rows / 220)
    noise = np.random.default_rng(7).normal(0, 28, body.shape)
    picture: NDArray[np.uint16] = np.clip(body + 350 + noise, 0, 4095).astype(np.uint16)
    return picture


class Clinic:
    """Lands exams and answers their lanes, as watcher and worker do."""

    def __init__(self, data: Path) -> None:
        self.clock = ManualClock(start_utc=EIGHT_O_CLOCK)
        self.layout = Layout(data=data)
        self.layout.create()
        self.database = Database.open(self.layout.database, data=data, clock=self.clock)
        self._jobs = Jobs(self.database, max_attempts=1)
        self.signs_of_life()

    def signs_of_life(self, *, worker: str = "waiting") -> None:
        for process in ("watcher", "sender"):
            Heartbeat(self.layout.run, process, self.clock).beat("waiting")
        Heartbeat(self.layout.run, "worker", self.clock).beat(worker)
        self.prove()

    def prove(self, *failures: str, image_passed: bool = True) -> None:
        """The worker's proof of now: it passed, or failed with these words."""
        passed = not failures
        if passed:
            self._last_passed = moment(self.clock)
        proof = ProofFile(
            made=moment(self.clock),
            took_ms=420.0,
            passed=passed,
            failures=failures,
            image_passed=image_passed,
            last_passed=self._last_passed,
            interval_s=600.0,
        )
        write_proof(self.layout.run, proof)

    def land(self, exam_id: str, *, queue: bool = True, **change: Any) -> Acquisition:
        """One exam. `change` goes to the acquisition, or to the header where the field is there."""
        header = {key: change.pop(key) for key in list(change) if key in Instance.__dataclass_fields__}
        instance = replace(self.instance(exam_id + str(change.get("version", 1))), **header)
        slices = change.pop("slices", 1)
        acquisition = Acquisition(
            **{
                "acquisition_id": exam_id,
                "version": 1,
                "kind": Kind.PROJECTION if slices == 1 else Kind.VOLUME,
                "completeness": Completeness.COMPLETE,
                "evidence": "one image",
                "urgency": Urgency.LIVE,
                "instances": (instance,),
                "slices": tuple(SliceRef(instance=0, frame=i, position_mm=i * 3.0) for i in range(slices)),
                **change,
            }
        )
        file = LandedFile(
            path=self.layout.spool / instance.sha256,
            sha256=instance.sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source=f"{exam_id}.dcm",
            urgency=acquisition.urgency,
            landed_at_utc=self.clock.now_utc(),
            noticed_ns=self.clock.monotonic_ns(),
            landed_ns=self.clock.monotonic_ns(),
        )
        Landings(self.database).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=queue
        )
        return acquisition

    def answer(
        self,
        acquisition: Acquisition,
        *,
        quality: LaneResult | str | None = None,
        triage: LaneResult | str | None = None,
        denoise: LaneResult | str | None = None,
    ) -> None:
        """End this exam's jobs: a result, a reason for failing, or None to leave it at work."""
        answers = {Lane.QUALITY: quality, Lane.TRIAGE: triage, Lane.DENOISE: denoise}
        for _ in answers:
            job = self._jobs.lease(worker="worker", lease_s=1e6)
            assert job is not None
            assert job.acquisition_id == acquisition.acquisition_id
            self._end(job, answers[job.lane])

    def _end(self, job: Job, answer: LaneResult | str | None) -> None:
        if isinstance(answer, str):
            self._jobs.fail(job, reason=answer)
        elif answer is not None:
            result = replace(answer, acquisition_id=job.acquisition_id, version=job.version, lane=job.lane)
            Results(self.database).commit(job, result)

    def view(
        self,
        acquisition: Acquisition,
        picture: NDArray[Any] | None = None,
        *,
        denoised: NDArray[Any] | None = None,
        heat: dict[str, NDArray[np.uint8]] | None = None,
        **change: Any,
    ) -> Path:
        """The files that the worker writes for the screen."""
        pixels = chest_like(600, 500) if picture is None else picture
        folder = self.layout.view_of(acquisition.acquisition_id, acquisition.version)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "pixels.npy", pixels)
        if denoised is not None:
            np.save(folder / "denoised.npy", denoised)
        low = int(change.pop("stored_low", 0))
        center, width = change.get("voi", (1900.0, 3400.0)) or (1900.0, 3400.0)
        ramp = (np.arange(65536) + low - center) / width + 0.5
        np.save(folder / "table.npy", np.rint(np.clip(ramp, 0, 1) * 255).astype(np.uint8))
        for code, values in (heat or {}).items():
            cv2.imwrite(str(folder / f"heat_{code}.png"), values)
        view = View(
            **{
                "array": "pixels.npy",
                "denoised": "denoised.npy" if denoised is not None else None,
                "table": "table.npy",
                "stored_low": low,
                "spacing_mm": (0.7, 0.7),
                "voi": (center, width),
                "heatmaps": {code: f"heat_{code}.png" for code in heat or {}},
                **change,
            }
        )
        (folder / "view.json").write_text(to_json(view), encoding="utf-8")
        return folder

    def read(self) -> BoardRecord:
        """The store as the kiosk reads it."""
        with StoreSource(self.layout, self.clock) as source:
            return source.read()

    @staticmethod
    def instance(key: str) -> Instance:
        sha256 = hashlib.sha256(key.encode()).hexdigest()
        return Instance(
            path=Path("spool") / sha256,
            sha256=sha256,
            study_instance_uid="1.2",
            series_instance_uid="1.2.3",
            sop_instance_uid=f"1.2.3.{int(sha256[:8], 16)}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
            modality="DX",
            body_part="CHEST",
            view_position="PA",
            laterality="U",
            image_type=("ORIGINAL", "PRIMARY"),
            series_description=None,
            study_description=None,
            series_number=None,
            acquired_at=None,
            requested_priority=None,
            burned_in_annotation=None,
            pixels=None,
            patient=patient("MWANGI^Grace"),
            exposure=Exposure(
                exposure_index=None,
                target_exposure_index=None,
                deviation_index=None,
                kvp=None,
                exposure_mas=None,
                exposure_time_ms=None,
            ),
            geometry=geometry(("L", "F")),
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

    # Answers

    @staticmethod
    def quality(*checks: QualityCheck, refusal: str | None = None) -> LaneResult:
        refusals = (Refusal(task="quality_chest", reason=refusal),) if refusal else ()
        return LaneResult(acquisition_id="", version=1, lane=Lane.QUALITY, quality=checks, refusals=refusals)

    @staticmethod
    def triage(*findings: Finding, refusal: str | None = None, fallback: str | None = None) -> LaneResult:
        engine = EngineUse(
            task="chest_triage",
            model="chest_triage@1.0",
            engine="onnxruntime int8 CPU" if fallback else "openvino int8 CPU",
            fallback_reason=fallback,
        )
        return LaneResult(
            acquisition_id="",
            version=1,
            lane=Lane.TRIAGE,
            findings=findings,
            refusals=(Refusal(task="chest_triage", reason=refusal),) if refusal else (),
            engines=(engine,) if findings else (),
        )


def check(
    criterion: str,
    verdict: Verdict,
    advice: str = "No advice.",
    value: float | None = None,
    unit: str | None = None,
    limit: float | None = None,
    marks: tuple[Mark, ...] = (),
) -> QualityCheck:
    return QualityCheck(
        criterion=criterion,
        verdict=verdict,
        value=value,
        unit=unit,
        limit=limit,
        advice=advice,
        marks=marks,
    )


def finding(
    meaning: str,
    probability: float,
    *,
    code: str = "1",
    box: tuple[float, float, float, float] | None = None,
    heatmap: bool = False,
    draws_location: bool | None = None,
) -> Finding:
    marks = ()
    if box is not None:
        top, left, bottom, right = box
        marks = (Mark(label=meaning, shape=MarkShape.BOX, points_px=((top, left), (bottom, right))),)
    return Finding(
        task="chest_triage",
        code=Code(value=code, scheme="SCT", meaning=meaning),
        probability=probability,
        sensitive_threshold=0.3,
        specific_threshold=0.7,
        decision=decide(probability, sensitive=0.3, specific=0.7),
        marks=marks,
        heatmap_path=f"views/heat_{code}.png" if heatmap else None,
        draws_location=draws_location,
    )


def patient(name: str | None, *, patient_id: str | None = "10-4471", age_years: float | None = 34) -> Patient:
    return Patient(
        patient_id=patient_id,
        patient_name=name,
        patient_sex="F",
        patient_birth_date="19910412",
        age_years=age_years,
    )


def geometry(orientation: tuple[str, str] | None, **change: Any) -> Geometry:
    return Geometry(
        **{
            "pixel_spacing_mm": (0.7, 0.7),
            "pixel_spacing_source": "ImagerPixelSpacing",
            "image_orientation_patient": None,
            "frame_positions_mm": (),
            "slice_thickness_mm": None,
            "spacing_between_slices_mm": None,
            "patient_orientation": orientation,
            **change,
        }
    )


def head_like() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """24 slices of a round head: a noisy volume and the same without noise, in HU."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    clean = np.full((24, 256, 256), -1000, np.int16)
    for index in range(24):
        size = 0.8 * np.sqrt(1 - ((index - 10) / 22) ** 2)
        radius = np.hypot(x / 0.82, y)
        clean[index][radius < size] = 900
        clean[index][radius < size * 0.9] = 35
        clean[index][np.hypot(x - 0.1, y / 1.8) < size * 0.16] = 8
    noise = np.random.default_rng(3).normal(0, 22, clean.shape)
    return np.clip(clean + noise, -1024, 3000).astype(np.int16), clean
