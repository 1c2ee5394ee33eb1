# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sys

import numpy as np

from benchmarks.machine import describe_machine


def test_this_machine_is_described_as_it_is() -> None:
    machine = describe_machine()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory_bytes > 2**28
    assert machine.python == sys.version.split()[0]
    assert machine.libraries["numpy"] == np.__version__
    assert os.uname().release.startswith(machine.kernel)
