# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the shared inference server in the middle of a series: the whole appliance, a real server."""

from __future__ import annotations

import json
import time  # noqa: TID251  (a test waits for real processes)
from pathlib import Path
from typing import Any

import apsw
import pytest
import tritonclient.grpc

from appliance.models.publish import Serving, publish
from appliance.models.registry import shipped_models
from appliance.selftest.phantom_ct import CtPlan, write_ct
from tests.running import RunningAppliance
from tests.tiny_bundles import read_signed
from tests.triton_server import RunningTriton, skip_without_triton

SLICES = 12
SERVING = Serving(backend="python", instances=1, max_batch=4, queue=16, threads=1)
LOOK_INTERVAL_S = 0.02


def engine_of(line: dict[str, Any]) -> str:
    return str(line["engines"].get("ct_denoise"))


def wait_for_requests(triton: RunningTriton, *, more_than: int) -> None:
    """Until the server has computed something for this appliance: the series is under way."""
    deadline = time.monotonic() + 60
    while requests_of(triton) <= more_than:
        assert time.monotonic() < deadline, "the server was never asked"
        time.sleep(LOOK_INTERVAL_S)


def requests_of(triton: RunningTriton) -> int:
    client = tritonclient.grpc.InferenceServerClient(triton.address)
    try:
        statistics = client.get_inference_statistics(client_timeout=5)
        return sum(model.inference_count for model in statistics.model_stats)
    finally:
        client.close()


@pytest.mark.timeout(300)
def test_a_series_survives_the_server_and_the_next_one_has_it_again(tmp_path: Path) -> None:
    skip_without_triton()
    publish(read_signed(shipped_models() / "ct_denoise"), "fp32", SERVING, into=tmp_path / "repository")
    write_ct(tmp_path / "first", CtPlan(slices=SLICES))
    with RunningTriton(tmp_path / "repository", tmp_path / "log") as triton:
        triton.wait()
        settings = {
            "SCANSIDE__WORKER__ENGINES": '["remote", "ort"]',
            "SCANSIDE__REMOTE__ADDRESS": triton.address,
            "SCANSIDE__REMOTE__TLS": "false",
            "SCANSIDE__REMOTE__RETRY_FIRST_S": "0.5",
            "SCANSIDE__REMOTE__RETRY_LONGEST_S": "1",
        }
        with RunningAppliance(tmp_path / "data", **settings) as appliance:
            wait_for_requests(triton, more_than=0)  # the proof of the model
            deadline = time.monotonic() + 60
            while not list(appliance.layout.engine_cache.glob("*ct_denoise-remote*")):
                assert time.monotonic() < deadline, "the server's model was not proven"
                time.sleep(LOOK_INTERVAL_S)
            before = requests_of(triton)
            (tmp_path / "first").rename(appliance.layout.inbox / "first")
            wait_for_requests(triton, more_than=before + 2)
            triton.kill()
            (line,) = appliance.wait_for_answers(1, limit_s=120)
            assert line["status"] == "done"
            assert len(line["files"]) == SLICES
            assert len(line["derived"]) == SLICES
            assert engine_of(line) == "ort f32 CPU"
            assert f"The inference server {triton.address}" in fallback_of(appliance)

            triton.start_again()
            write_ct(tmp_path / "second", CtPlan(slices=3, seed=2))
            time.sleep(2)  # more than the longest pause between two tries
            (tmp_path / "second").rename(appliance.layout.inbox / "second")
            lines = appliance.wait_for_answers(2, limit_s=120)
            assert sorted(engine_of(line) for line in lines) == [
                "ort f32 CPU",
                f"remote f32 {triton.address}",
            ]


def fallback_of(appliance: RunningAppliance) -> str:
    """Why the denoiser's engine was not the first choice, as the store keeps it for the screen."""
    store = apsw.Connection(str(appliance.layout.database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        records = [json.loads(record) for (record,) in store.execute("SELECT record FROM result")]
    finally:
        store.close()
    engines = [engine for record in records for engine in record["engines"]]
    return "; ".join(str(engine["fallback_reason"]) for engine in engines if engine["task"] == "ct_denoise")
