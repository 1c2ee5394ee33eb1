# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.faults.bundle_child FOLDER`: reads every bundle there, and says what ran meanwhile.

One JSON line a bundle: whether it was refused, with which words, and which parsers, pickles or engines were
called before. The unchanged bundle is read first: if the watch does not see its parsers, nothing counts.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, Final

from appliance.errors import ModelBundleError
from appliance.models.bundle import read_bundle
from appliance.models.releases import Releases
from benchmarks.faults.bundle_changes import SERVED, Speaks, put, shipped, trust
from benchmarks.faults.plain_words import faults_of_error

PARSERS: Final = frozenset(
    {"tomllib", "tomli", "onnx", "numpy", "onnxruntime", "openvino", "pickle", "_pickle"}
)
AUDITED: Final = frozenset(
    {"pickle.find_class", "os.system", "subprocess.Popen", "marshal.loads", "ctypes.dlopen"}
)
"""Python's own audit events of what loads or runs something."""


class Watch:
    """What ran while a bundle was read."""

    def __init__(self) -> None:
        self.on = False
        self.seen: set[str] = set()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        if self.on and event in AUDITED:
            self.seen.add(event)

    def _call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self.seen |= {frame.f_globals.get("__name__", "").partition(".")[0]} & PARSERS
        elif event == "c_call":
            self.seen |= {(getattr(argument, "__module__", None) or "").partition(".")[0]} & PARSERS

    def read(self, bundle: Path, releases: Releases) -> tuple[ModelBundleError | None, list[str]]:
        """The refusal, and what was called before it."""
        self.seen = set()
        self.on = True
        sys.setprofile(self._call)
        try:
            read_bundle(bundle, trust=trust(), releases=releases)
        except ModelBundleError as error:
            return error, sorted(self.seen)
        finally:
            sys.setprofile(None)
            self.on = False
        return None, sorted(self.seen)


def main(folder: Path) -> None:
    """See the module."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as made:
        releases = Releases(Path(made) / "releases")
        releases.note(Speaks(SERVED))
        refused, seen = watch.read(put(shipped(), Path(made) / "good"), releases)
        if refused is not None or not {"onnx", "numpy"} <= set(seen):
            raise SystemExit(f"the good bundle: {refused}, seen: {seen}")
        for bundle in sorted(path for path in folder.iterdir() if path.is_dir()):
            refused, seen = watch.read(bundle, releases)
            faults = faults_of_error(refused) if refused else []
            answer = {"refused": refused is not None and not faults, "seen": seen, "words": str(refused)}
            sys.stdout.write(json.dumps({bundle.name: answer}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
