# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A verified bundle's graph into an engine: the bytes that were signed, not what lies there by now.

A bundle is verified at the start, and an engine opens its graph by name some time later, perhaps days
later when another engine has failed. Between the two, whoever may write the folder of bundles (a share, a
stick) could exchange the file. So it is read and hashed once more, and the engine is given exactly these
bytes: in sealed memory that nobody can change any more, under the graph's own name in a new folder that
only the appliance's own user can enter, with the card and the list of the bundle beside it. Memory and not
a copy on the disk, as loading can end the process, and what it left there would fill the disk. What
remains: somebody who acts as that user could exchange the folder, and could as well change the appliance.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import FP32, Bundle
from appliance.models.contents import CARD, SUMS, in_folder, known, take

SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
"""No change of content or size, and no change of that."""


def load_verified(
    engine: str,
    bundle: Bundle,
    *,
    threads: int,
    precision: str = FP32,
    cache: Path | None = None,
    server: InferenceServer | None = None,
) -> Engine:
    """The graph of a precision in the engine of that name; the one way in which a bundle is loaded.

    Raises ModelBundleError when the bundle is not the one that was verified any more, and EngineError when
    the engine cannot serve it or there is no room. The engine's file is gone when this returns: an engine
    reads it while it loads, and never again.
    """
    name = bundle.model_in(precision).name
    contents = take(
        in_folder(bundle.folder),
        known(bundle.sums_sha256, bundle=bundle.folder.name),
        only=frozenset({name, CARD}),
    )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="scanside-model-") as folder,  # mode 0700
            _sealed(contents.files[name], name) as graph,
        ):
            private = Path(folder)
            (private / name).symlink_to(graph)
            (private / CARD).write_bytes(contents.files[CARD])
            (private / SUMS).write_bytes(contents.sums)
            return load_engine(engine, private / name, threads=threads, cache=cache, server=server)
    except OSError as error:
        raise EngineError(
            f"The graph of {bundle.card.identity} cannot be handed to its engine: {error.strerror}.",
            remedy="Free some memory and some room in the folder for temporary files (TMPDIR).",
        ) from error


@contextmanager
def _sealed(content: bytes, name: str) -> Iterator[Path]:
    """A file of memory with that content; its path holds for this process and its children."""
    handle = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(handle, "wb") as file:  # noqa: PTH123  (a descriptor, not a path)
        file.write(content)
        file.flush()
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, SEALS)
        yield Path(f"/proc/{os.getpid()}/fd/{handle}")
