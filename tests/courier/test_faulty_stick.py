# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A stick that is full, write-protected, pulled out or broken, as the kernel tells it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.courier.packing import PackReport
from tests.courier_site import FILES, Site, bundles_on, open_everything, opened


@pytest.fixture
def small_sticks(tmp_path: Path) -> Iterator[tuple[Path, ...]]:
    """File systems of their own with room for some of the files."""
    folders = tuple(tmp_path / f"small{number}" for number in range(4))
    mounted = []
    for folder in folders:
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=9900k", "none", str(folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            mounted.append(folder)
    try:
        if len(mounted) < len(folders):
            pytest.skip("this test may not mount a file system here")
        yield folders
    finally:
        for folder in mounted:
            subprocess.run(["umount", str(folder)], check=True)


def test_a_full_stick_is_filled_and_the_next_one_gets_the_rest(
    clinic_on_disk: Site, hospital: Site, small_sticks: tuple[Path, ...], tmp_path: Path
) -> None:
    site = opened(clinic_on_disk)
    reports: list[PackReport] = []
    for stick in small_sticks:
        reports.append(site.pack(stick))
        if reports[-1].trouble is None:
            break
    assert len(reports) > 1
    assert all("is full" in report.trouble.what for report in reports[:-1] if report.trouble)
    assert reports[-1].trouble is None
    found: Counter[str] = Counter()
    for stick in small_sticks:
        found += open_everything(hospital, stick, tmp_path / "out")
    assert found == Counter(site.landed)
    site.database.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("write:error=ENOSPC:when=2+", "is full"),
        ("write:error=EIO:when=2+", "gone or faulty"),
        ("fsync:error=EIO:when=1", "gone or faulty"),
        ("rename:error=EIO:when=1", "gone or faulty"),
        ("write:error=EROFS:when=1", "write-protected"),
    ],
)
def test_what_the_stick_says_is_put_into_words_and_nothing_is_counted(
    fault: str, words: str, clinic_on_disk: Site, stick: Path, tmp_path: Path
) -> None:
    """The real command; the kernel's answers about this one file are changed on the way."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    part = stick / f"scanside-{clinic_on_disk.device[:8]}-000001.scanside-courier.part"
    config = tmp_path / "scanside.toml"
    config.write_text(f'[courier]\nrecipients = ["{clinic_on_disk.recipients[0]}"]\n', encoding="ascii")
    call = fault.partition(":")[0]
    command = [sys.executable, "-m", "appliance", "courier", "pack", str(stick), "--config", str(config)]
    watched = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={fault}")
    done = subprocess.run(
        [*watched, "-P", str(part), *command, "--data", str(clinic_on_disk.layout.data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert words in done.stderr, done.stdout + done.stderr
    assert done.returncode == 1
    site = opened(clinic_on_disk)
    assert len(site.waiting()) == FILES
    assert not bundles_on(stick)
    assert site.pack(stick).trouble is None
    assert site.waiting() == []
    site.database.close()
