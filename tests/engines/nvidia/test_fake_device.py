# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The fake device is as strict as a real one, and as asynchronous."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.errors import EngineError, EngineLostError, EngineMemoryError


def test_nothing_is_done_before_somebody_waits(device: FakeDevice) -> None:
    stream = device.open_stream()
    sent, returned = device.pin((4,), np.float32), device.pin((4,), np.float32)
    memory = device.allocate(16)
    sent[:] = 7
    device.copy_in(memory, sent, stream)
    device.copy_out(returned, memory, stream)
    assert np.isnan(returned).all()
    device.synchronize(stream)
    assert (returned == 7).all()


def test_recorded_work_is_done_at_each_launch_and_not_before(device: FakeDevice) -> None:
    stream = device.open_stream()
    sent, returned = device.pin((1,), np.float32), device.pin((1,), np.float32)
    memory = device.allocate(4)
    device.begin_capture(stream)
    device.copy_in(memory, sent, stream)
    device.copy_out(returned, memory, stream)
    graph = device.end_capture(stream)
    device.synchronize(stream)
    assert np.isnan(returned).all()
    for value in (1.0, 2.0):
        sent[:] = value
        device.launch(graph, stream)
        device.synchronize(stream)
        assert returned[0] == value


def test_memory_is_checked(device: FakeDevice) -> None:
    memory = device.allocate(16)
    assert memory % 256 == 0
    device.free(memory)
    stream = device.open_stream()
    host = device.pin((4,), np.float32)
    for wrong in (
        lambda: device.free(memory),
        lambda: device.copy_in(memory, host, stream),
        lambda: device.copy_in(device.allocate(16), np.zeros(4, np.float32), stream),
        lambda: device.synchronize(1),
        lambda: device.launch(1, stream),
        lambda: device.drop_graph(1),
        lambda: device.unpin(np.zeros(3)),
    ):
        with pytest.raises(EngineError, match="cudaErrorInvalidValue"):
            wrong()
    with pytest.raises(ValueError, match="buffer is smaller"):
        device.copy_in(device.allocate(8), host, stream)


def test_waiting_while_recording_is_an_error_as_on_a_gpu(device: FakeDevice) -> None:
    stream = device.open_stream()
    device.begin_capture(stream)
    with pytest.raises(EngineError, match="cudaErrorStreamCaptureUnsupported"):
        device.synchronize(stream)


def test_faults_come_when_they_are_asked_for(device: FakeDevice) -> None:
    device.fail("allocate", "cudaErrorMemoryAllocation", after=1)
    device.allocate(1)
    with pytest.raises(EngineMemoryError):
        device.allocate(1)
    device.allocate(1)
    stream = device.open_stream()
    device.fail("synchronize", "cudaErrorIllegalAddress")
    with pytest.raises(EngineLostError):
        device.synchronize(stream)
    with pytest.raises(EngineLostError, match="allocate: cudaErrorIllegalAddress"):
        device.allocate(1)  # sticky


def test_what_is_held_is_counted(device: FakeDevice) -> None:
    stream, memory, pinned = device.open_stream(), device.allocate(1), device.pin((1,), np.uint8)
    device.begin_capture(stream)
    graph = device.end_capture(stream)
    assert device.held == {"memory": 1, "pinned": 1, "streams": 1, "graphs": 1}
    device.drop_graph(graph)
    device.unpin(pinned)
    device.free(memory)
    device.close_stream(stream)
    assert not any(device.held.values())
