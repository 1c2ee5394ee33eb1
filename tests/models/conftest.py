# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny real bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.tiny_bundles import build, halving_model, write_sums

MakeBundle = Callable[..., Path]


@pytest.fixture(scope="session")
def make_bundle() -> MakeBundle:
    return build


@pytest.fixture(scope="session")
def good_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("bundles") / "good")


@pytest.fixture(scope="session")
def sums() -> Callable[[Path], None]:
    return write_sums


@pytest.fixture(scope="session")
def halving() -> Callable[..., onnx.ModelProto]:
    return halving_model
