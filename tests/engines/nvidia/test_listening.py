# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a library says is kept, sorted into errors and warnings, and not without end."""

from __future__ import annotations

import pytest

from appliance.engines.nvidia.api import Api
from appliance.engines.nvidia.fake_builder import ILogger
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.engines.nvidia.fake_library import fake_tensorrt
from appliance.engines.nvidia.listening import MOST_LINES, Listener, errors_of
from appliance.errors import EngineError, EngineLostError


def test_errors_and_warnings_are_told_apart() -> None:
    listener = Listener(fake_tensorrt(FakeDevice()).module)
    for severity, words in (
        (ILogger.INFO, "took 3 s"),
        (ILogger.WARNING, "slow here"),
        (ILogger.ERROR, "first "),
        (ILogger.INTERNAL_ERROR, "second"),
    ):
        listener.logger.log(severity, words)
    assert listener.warned_of("slow") == "slow here"
    assert listener.warned_of("took") is None
    assert listener.complaint() == "first; second"
    assert listener.complaint() == ""


@pytest.mark.parametrize("kind", [RuntimeError, TypeError, ValueError])
def test_what_a_library_raises_is_ours(kind: type[Exception]) -> None:
    raised = kind("of\n no use")
    words = r"^tensorrt 10\.3 failed to run: of no use\. "
    with pytest.raises(EngineError, match=words) as error, errors_of("tensorrt 10.3", "run"):
        raise raised
    assert error.value.__cause__ is raised


def test_our_own_errors_pass_as_they_are() -> None:
    with pytest.raises(EngineLostError), errors_of("tensorrt", "run"):
        raise EngineLostError("gone", remedy="start anew")


def test_a_library_that_does_not_stop_talking_fills_no_memory() -> None:
    listener = Listener(fake_tensorrt(FakeDevice()).module)
    for number in range(3 * MOST_LINES):
        listener.logger.log(ILogger.WARNING, str(number))
    assert len(listener.warnings) == MOST_LINES


def test_the_real_library_speaks_to_it(rtx: Api) -> None:
    listener = Listener(rtx.module)
    builder = rtx.module.Builder(listener.logger)
    network = builder.create_network(0)  # the parser does not keep it
    parser = rtx.module.OnnxParser(network, listener.logger)
    assert not parser.parse(b"no model")
    assert "ONNX" in listener.complaint()
