# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.faults.kill_host DATA`: starts processes of the appliance at once, as often as asked.

It has imported everything already and forks, so that a kill does not cost the seconds of a cold start. What
it starts is the product's own entry, with marks around the stages. One JSON object per line, in and out.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from appliance.processes import __main__ as entry
from appliance.processes import sender, watcher, worker
from benchmarks.faults.kill_marks import BY_A_FAULT, Kill, Marks

PRELOADED = (watcher, worker, sender)
LOOK_S = 0.01


def start(order: dict[str, Any], data: Path) -> int:
    """Fork the process that the order names. Returns its pid."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = BY_A_FAULT
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        kill = Kill(**order["kill"]) if order["kill"] else None
        Marks(Path(order["marks"]), kill).install(order["process"])
        entry.main(order["process"], data=data, config=None, parent=parent)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    """Until the input ends; then no child is left that could still write."""
    import onnxruntime  # noqa: F401, PLC0415  (preloaded, nothing more)

    data = Path(sys.argv[1])
    alive: set[int] = set()
    while True:
        ready, _, _ = select.select([0], [], [], LOOK_S)
        if ready:
            line = sys.stdin.buffer.raw.readline()  # type: ignore[union-attr]  # opened without a buffer
            if not line:
                break
            order = json.loads(line)
            if "kill_pid" in order:
                if order["kill_pid"] in alive:  # who has not been waited for keeps its number
                    os.kill(order["kill_pid"], signal.SIGKILL)
                continue
            pid = start(order, data)
            alive.add(pid)
            print(json.dumps({"started": pid}), flush=True)
        for pid in tuple(alive):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                alive.discard(pid)
                print(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    for pid in alive:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
