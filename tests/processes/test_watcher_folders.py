# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What else people and programs put into a watched folder: things that are no files, and whole trees."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.processes.watcher import NAME
from tests.processes.test_watcher import CLOCK, image, running, settings


def test_what_is_no_file_has_a_row_with_the_reason(layout: Layout) -> None:
    (layout.inbox / "loop").symlink_to(layout.inbox)
    (layout.inbox / "nowhere.dcm").symlink_to("not there")
    words = {
        "loop": "links are not followed",
        "nowhere.dcm": "links are not followed",
        "door.dcm": "a socket",
    }
    if os.geteuid() == 0:
        os.mknod(layout.inbox / "zero.dcm", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        os.mknod(layout.inbox / "disk.dcm", stat.S_IFBLK | 0o600, os.makedev(7, 255))
        words |= {"zero.dcm": "a device", "disk.dcm": "a device"}
    with socket.socket(socket.AF_UNIX) as door, running(layout, settings()) as watcher:
        door.bind(str(layout.inbox / "door.dcm"))
        image(layout.inbox / "good.dcm")
        watcher.until(lambda: watcher.files() == len(words) + 1)
        aside = {Path(one.source).name: one.reason for one in watcher.board.set_aside()}
        assert aside.keys() == words.keys()
        for name, reason in words.items():
            assert reason in aside[name]
        assert len(watcher.entries()) == 1


def test_a_tree_that_is_moved_in_is_taken_whole(layout: Layout, tmp_path: Path) -> None:
    tree = tmp_path / "DISC" / "DICOM"
    for folder in range(20):
        (tree / f"S{folder}" / "deeper").mkdir(parents=True)
        image(tree / f"S{folder}" / "IM0")
        image(tree / f"S{folder}" / "deeper" / "IM1")
    with running(layout, settings(rescan_interval_s=30)) as watcher:
        watcher.until(lambda: read_beat(layout.run, NAME, CLOCK) is not None)
        tree.parent.rename(layout.inbox / "DISC")
        watcher.until(lambda: watcher.files() == 40)
        assert len(watcher.entries()) == 40
