# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A verified bundle's graph into an engine: the bytes that were signed, not what lies there by now.

A bundle is verified at the start, and an engine opens its graph by name some time later, perhaps days
later when another engine has failed. Between the two, whoever may write the folder of bundles (a share, a
stick) could exchange the file. So the file is read and hashed once more, and the engine opens a copy of
exactly these bytes in a new folder that only the appliance's own user can enter. What is left: somebody
who acts as that user could change the copy, and could as well change the appliance.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError
from appliance.models.bundle import FP32, Bundle
from appliance.models.contents import MAX_FILE_BYTES, read_plain, refused


def load_verified(engine: str, bundle: Bundle, *, threads: int, precision: str = FP32) -> Engine:
    """The graph of a precision in the engine of that name; the one way in which a bundle is loaded.

    Raises ModelBundleError when the file is not the one that was verified, and EngineError when the
    engine cannot serve it or there is no room for the copy. The copy is gone when this returns: an engine
    reads its file while it loads, and never again.
    """
    file = bundle.model_in(precision)
    content = read_plain(file, bundle=bundle.folder.name, limit_bytes=MAX_FILE_BYTES)
    if hashlib.sha256(content).hexdigest() != bundle.model_sha256[precision]:
        raise refused(bundle.folder.name, f"{file.name} has changed since it was verified")
    try:
        with tempfile.TemporaryDirectory(prefix="scanside-model-") as private:  # mode 0700
            copy = Path(private) / file.name
            copy.write_bytes(content)
            return load_engine(engine, copy, threads=threads)
    except OSError as error:
        raise EngineError(
            f"The graph of {bundle.card.identity} cannot be copied for its engine: {error.strerror}.",
            remedy="Make room in the folder for temporary files, or set TMPDIR.",
        ) from error
