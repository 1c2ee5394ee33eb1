# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle may be larger than the memory of either end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from appliance.store.connection import Database
from tests.courier_site import LARGEST, Site, bundles_on

MIB = 1024**2
FILE_BYTES = 300 * MIB
GROWTH_LIMIT_MIB = 64
"""A fifth of the bundle; the promise is 200 MiB for any bundle."""


def peak_growth_mib(work: Callable[[], object]) -> float:
    """How much the highest resident memory of a process of its own grows by this work."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts from here
            before = highest_kib()
            work()
            os.write(writer, f"{(highest_kib() - before) / 1024}".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as said:
        text = said.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return float(text)


def highest_kib() -> int:
    """VmHWM, which unlike ru_maxrss can be reset."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def reopened(site: Site) -> Site:
    site.database = Database.open(site.layout.database, data=site.layout.data, clock=site.clock)
    return site


def test_packing_and_opening_need_little_memory(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    small = clinic.land(b"small")
    sparse = clinic.layout.spool / "large"
    with sparse.open("wb") as file:
        file.truncate(FILE_BYTES)
    folder = clinic.layout.results_of(small.acquisition_id, 1)
    folder.mkdir()
    sparse.rename(folder / "derived.dcm")
    clinic.database.read(
        "INSERT INTO outbox (step, path, peer, rank) VALUES ('send', ?, 'courier', 20)",
        (str((folder / "derived.dcm").relative_to(clinic.layout.data)),),
    )
    clinic.database.close()
    hospital.database.close()
    packing = peak_growth_mib(lambda: reopened(clinic).pack(stick, max_bytes=LARGEST))
    (bundle,) = bundles_on(stick)
    assert bundle.stat().st_size > FILE_BYTES
    opening = peak_growth_mib(lambda: reopened(hospital).open(bundle, tmp_path / "out"))
    assert {file.stat().st_size for file in (tmp_path / "out").iterdir()} == {5, FILE_BYTES}
    assert packing < GROWTH_LIMIT_MIB, packing
    assert opening < GROWTH_LIMIT_MIB, opening
