# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The version adapter against what the real libraries are made of: names, written down from their packages.

10.3.0, 10.16.1 and 11.4.0 were imported from their Python bindings with empty libraries behind them: names
are there without a driver, behaviour is not. TensorRT-RTX 1.7.1 is the installed one, where there is one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.engines.nvidia.api import (
    FEATURES,
    HAS,
    NEEDED,
    TENSORRT,
    TENSORRT_RTX,
    Api,
    Features,
    adapt,
    names_of,
    open_api,
)
from appliance.errors import EngineError

PLAIN = Features(timing_cache=True, runtime_config=False, targets=False, validity=False)
RTX = Features(timing_cache=False, runtime_config=True, targets=True, validity=True)


def names(folder: Path, file: str) -> tuple[str, dict[str, list[str]]]:
    told = json.loads((folder / f"{file}.json").read_text(encoding="utf-8"))
    return told["version"], told["names"]


@pytest.mark.parametrize(
    ("library", "file", "features"),
    [
        (TENSORRT, "tensorrt-10.3.0", PLAIN),
        (TENSORRT, "tensorrt-10.16.1", PLAIN),
        (TENSORRT, "tensorrt-11.4.0", PLAIN),
        (TENSORRT_RTX, "tensorrt_rtx-1.7.1", RTX),
    ],
)
def test_every_served_version_is_recognised(
    library: str, file: str, features: Features, recorded: Path
) -> None:
    assert adapt(library, *names(recorded, file)) == features


def test_the_versions_differ_in_what_is_not_used(recorded: Path) -> None:
    """Had the engine leaned on any of these, it would serve only one side of the change."""
    _, old = names(recorded, "tensorrt-10.3.0")
    _, new = names(recorded, "tensorrt-11.4.0")
    assert {"FP16", "INT8"} <= set(old["BuilderFlag"]) - set(new["BuilderFlag"])
    assert "int8_calibrator" in set(old["IBuilderConfig"]) - set(new["IBuilderConfig"])
    assert "device_memory_size" in set(old["ICudaEngine"]) - set(new["ICudaEngine"])
    for kind, used in NEEDED.items():
        assert used <= set(old[kind]) & set(new[kind]), kind


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "10.0.1", "12.0.0", "9", "", "of no version"])
def test_other_versions_are_refused_with_the_range(version: str, recorded: Path) -> None:
    _, all_names = names(recorded, "tensorrt-10.3.0")
    with pytest.raises(EngineError, match=r"10\.3 <= version < 12\.0"):
        adapt(TENSORRT, version, all_names)


@pytest.mark.parametrize("version", ["1.6.0", "1.8.0.1", "2.0"])
def test_rtx_is_bound_to_its_minor_version(version: str, recorded: Path) -> None:
    _, all_names = names(recorded, "tensorrt_rtx-1.7.1")
    with pytest.raises(EngineError, match=r"1\.7 <= version < 1\.8"):
        adapt(TENSORRT_RTX, version, all_names)


@pytest.mark.parametrize(
    ("library", "file"), [(TENSORRT, "tensorrt-11.4.0"), (TENSORRT_RTX, "tensorrt_rtx-1.7.1")]
)
def test_a_missing_name_is_named(library: str, file: str, recorded: Path) -> None:
    version, _ = names(recorded, file)
    for group in (NEEDED, *(FEATURES[feature] for feature in HAS[library])):
        for kind, name in [(kind, name) for kind, used in group.items() for name in used]:
            _, all_names = names(recorded, file)
            all_names[kind].remove(name)
            with pytest.raises(EngineError, match=rf"it has no {kind}\.{name}\."):
                adapt(library, version, all_names)


def test_a_runtime_without_a_builder_is_not_whole(recorded: Path) -> None:
    """The lean runtime: no Builder, no parser."""
    version, all_names = names(recorded, "tensorrt-11.4.0")
    for kind in ("Builder", "IBuilderConfig", "OnnxParser", "ParserError"):
        del all_names[kind]
    with pytest.raises(
        EngineError, match=r"no Builder\.build_serialized_network.*ParserError\.desc"
    ) as error:
        adapt(TENSORRT, version, all_names)
    assert "lean" in error.value.remedy


def test_an_absent_library_is_said() -> None:
    with pytest.raises(EngineError, match="is not installed on this device") as error:
        open_api("tensorrt_of_another_world")
    assert "docs/engines.md" in error.value.remedy


def test_the_installed_rtx_is_the_recorded_one(rtx: Api, recorded: Path) -> None:
    version, all_names = names(recorded, "tensorrt_rtx-1.7.1")
    assert rtx.version == version
    assert rtx.features == RTX
    assert rtx.words == f"tensorrt_rtx {version}"
    for kind, found in names_of(rtx.module).items():
        assert set(all_names[kind]) == set(found) - {"name", "value"}, kind


def test_rtx_says_which_gpus_it_serves(rtx: Api) -> None:
    """Measured in its list: Turing to Blackwell cards; neither Jetson Orin (8.7) nor Hopper (9.0)."""
    assert [pair for pair in ((7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1)) if not rtx.serves(pair)] == []
    assert [pair for pair in ((7, 0), (8, 7), (9, 0), (11, 0)) if rtx.serves(pair)] == []
