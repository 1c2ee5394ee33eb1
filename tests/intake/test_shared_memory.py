# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A buffer comes back when nobody looks into it any more, and not before."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest

from appliance.intake.shared_memory import BufferPool


def test_a_buffer_comes_back_with_the_last_view() -> None:
    pool = BufferPool()
    buffer = pool.take(1000)
    array = pool.lend(buffer, (10, 20), "uint16")
    view = array[::2].T
    del array
    gc.collect()
    assert pool.take(1000) is not buffer
    del view
    gc.collect()
    assert pool.take(1000) is buffer


def test_a_larger_frame_gets_a_larger_buffer_and_the_small_one_goes() -> None:
    pool = BufferPool()
    small = pool.take(1)
    pool.give_back(small)
    large = pool.take(small.size_bytes + 1)
    assert large.size_bytes > small.size_bytes
    assert pool.forgotten == [small.number]


def test_the_other_side_cannot_resize_a_buffer() -> None:
    buffer = BufferPool().take(4096)
    for size in (0, 1 << 30):
        with pytest.raises(PermissionError):
            os.ftruncate(buffer.descriptor, size)
    buffer.close()


def test_arrays_outlive_their_pool() -> None:
    pool = BufferPool()
    array = pool.lend(pool.take(100), (5, 5), "int16")
    pool.close()
    assert np.array_equal(array, np.zeros((5, 5), np.int16))
    assert pool.forgotten == []
    del array
    gc.collect()
    assert len(pool.forgotten) == 1
