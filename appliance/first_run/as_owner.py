# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Root leaves nothing of its own in the data folder: its owner tries the answers out."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from appliance.first_run.answers import Answers, answers_text
from appliance.layout import Layout


def owner_beside_root(layout: Layout) -> pwd.struct_passwd | None:
    """Whose the data folder is, where this is root and that is somebody else; None: nobody else's."""
    if os.geteuid() != 0 or not layout.data.exists() or (owner := layout.data.stat().st_uid) == 0:
        return None
    return pwd.getpwuid(owner)


def try_as(owner: pwd.struct_passwd, answers: Answers, layout: Layout, *, as_json: bool) -> int:
    """`scanside first-run --check-only` as `owner`, which says what it found. Returns its exit code.

    A process of its own: whoever has been root inside one could become it again. The PINs do not go along.
    """
    with tempfile.TemporaryDirectory(prefix="scanside-first-run-") as folder:
        file = Path(folder) / "answers.toml"
        file.write_text(answers_text(answers.without_pins()), encoding="utf-8")
        for path in (Path(folder), file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        command = [sys.executable, "-m", "appliance.cli", "first-run", "--check-only"]
        command += ["--answers", str(file), "--data", str(layout.data), *(("--json",) if as_json else ())]
        return subprocess.run(
            command,
            check=False,
            user=owner.pw_uid,
            group=owner.pw_gid,
            extra_groups=os.getgrouplist(owner.pw_name, owner.pw_gid),
            cwd="/",
            env={**os.environ, "HOME": owner.pw_dir},
        ).returncode


def let_read(owner: pwd.struct_passwd, file: Path) -> None:
    """A file of root's that the screen has to read, such as the hashes of the PINs: for its group, too."""
    if file.exists():
        os.chown(file, 0, owner.pw_gid)
        file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)
