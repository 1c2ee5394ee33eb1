# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The jail holds: nothing that a file does reaches the keeper, and no file pays for another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import psutil
import pytest

from appliance.clock import NS_PER_S, SystemClock
from appliance.config import MIB, ReadingSettings
from appliance.domain.image import PixelImage
from appliance.errors import EngineError, InputError
from appliance.intake.description import FileState
from appliance.intake.jail import Jail, PendingFrame
from appliance.intake.jail_process import JailProcess

JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
RAMP = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def peak_resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def frame_or_reason(jail: Jail, path: Path) -> tuple[str, PixelImage | None]:
    try:
        return "", jail.frame(path, 0)
    except InputError as error:
        return error.what, None


def test_describes_and_decodes(jail: Jail, write_dicom: Callable[..., Path]) -> None:
    path = write_dicom(RAMP)
    description = jail.describe(path, sha256="ab")
    assert description.state is FileState.WHOLE
    assert description.instance is not None
    assert (description.instance.path, description.instance.sha256) == (path, "ab")
    assert np.array_equal(jail.frame(path, 0).stored, RAMP)


# Trace: REQ-014
def test_every_hostile_file_gets_a_reason_or_valid_pixels(real_data: Path) -> None:
    """Files and broken sets of the hostile collection, fuzzed ones included, all through one jail."""
    settings = ReadingSettings()
    clock = SystemClock()
    seen = 0
    with Jail(settings, clock) as jail:
        jail.describe(real_data / "nowhere")
        first_child = jail.child_pid
        for path in sorted((real_data / "ct" / "dicom-hostile").rglob("*")):
            if not path.is_file() or path.suffix == ".csv":
                continue
            seen += 1
            started_ns = clock.monotonic_ns()
            description = jail.describe(path)
            if description.state is not FileState.WHOLE:
                assert description.reason
                assert description.reason.endswith("."), path
            else:
                assert description.instance is not None
                assert description.instance.pixels is not None
            reason, image = frame_or_reason(jail, path)
            if image is None:
                assert reason.endswith("."), path
            else:
                assert description.state is not FileState.UNFINISHED, path
                assert image.stored.nbytes <= settings.max_frame_bytes
                assert np.isfinite([image.slope, image.intercept]).all()
                assert image.slope != 0.0
            assert clock.monotonic_ns() - started_ns < settings.parse_timeout_s * 1e9, path
        assert seen > 200
        assert jail.child_pid == first_child, "a file of the collection killed its reader"
        assert first_child is not None
        assert peak_resident_bytes(first_child) < settings.memory_bytes


def test_a_file_that_aborts_its_reader_twice_is_blamed_and_no_other(
    write_dicom: Callable[..., Path],
) -> None:
    """The reader is aborted from outside while it decodes a slow image; the requests behind it survive."""
    noise = np.random.default_rng(1).integers(0, 4096, (1500, 1500), dtype=np.uint16)
    slow = write_dicom(
        noise, name="slow.dcm", syntax=JPEG_2000, frames=[imagecodecs.jpeg2k_encode(noise, level=0)]
    )
    quick = write_dicom(RAMP, name="quick.dcm", raw=RAMP.tobytes())
    with Jail(ReadingSettings(), SystemClock()) as jail:
        jail.describe(quick)
        stop = threading.Event()
        aborted: set[int] = set()

        def abort_decoding_children() -> None:
            while not stop.wait(0.01) and len(aborted) < 2:
                pid = jail.child_pid
                if pid is None or pid in aborted:
                    continue
                try:
                    is_decoding = psutil.Process(pid).open_files()
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
                if any(file.path.endswith("slow.dcm") for file in is_decoding):
                    os.kill(pid, signal.SIGABRT)
                    aborted.add(pid)

        thread = threading.Thread(target=abort_decoding_children)
        thread.start()
        try:
            bad, good = jail.begin_frame(slow, 0), jail.begin_frame(quick, 0)
            with pytest.raises(InputError, match=r"crash \(SIGABRT\)"):
                bad.image()
            assert np.array_equal(good.image().stored, RAMP)
        finally:
            stop.set()
            thread.join()
        assert len(aborted) == 2


# Trace: REQ-013
def test_a_codestream_that_crashes_a_real_decoder_kills_only_the_reader(
    real_data: Path, tmp_path: Path, write_dicom: Callable[..., Path]
) -> None:
    """Lossless JPEG whose Huffman table lost its marker: liblj92 decodes without one, into a SIGSEGV."""
    zoo = real_data / "ct" / "dicom-zoo"
    content = (zoo / "CT_JPEG-LLsv1_CT-JPEGLosslessSV1.dcm").read_bytes()
    path = tmp_path / "no-huffman-table.dcm"
    path.write_bytes(content.replace(b"\xff\xc4\x00\x20", b"\xff\x65\x00\x20", 1))
    good = write_dicom(RAMP)
    with Jail(ReadingSettings(), SystemClock()) as jail:
        bad, behind_it = jail.begin_frame(path, 0), jail.begin_frame(good, 0)
        with pytest.raises(InputError, match=r"crash|damaged"):
            bad.image()
        assert np.array_equal(behind_it.image().stored, RAMP)


def test_a_reader_that_dies_once_for_reasons_of_its_own_costs_no_file(
    write_dicom: Callable[..., Path],
) -> None:
    path = write_dicom(RAMP)
    with Jail(ReadingSettings(), SystemClock()) as jail:
        jail.frame(path, 0)
        assert jail.child_pid is not None
        os.kill(jail.child_pid, signal.SIGSTOP)  # so that it has not answered when it dies
        pending = jail.begin_frame(path, 0)
        os.kill(jail.child_pid, signal.SIGKILL)
        assert np.array_equal(pending.image().stored, RAMP)


def test_a_stuck_reader_is_given_up_and_the_next_request_is_answered(
    write_dicom: Callable[..., Path],
) -> None:
    path = write_dicom(RAMP)
    settings = ReadingSettings(parse_timeout_s=0.2, decode_timeout_s=0.2)
    with Jail(settings, SystemClock()) as jail:
        jail.frame(path, 0)
        assert jail.child_pid is not None
        stuck = jail.child_pid
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(InputError, match=r"longer than 0\.4 s"):
            jail.frame(path, 0)
        assert not psutil.pid_exists(stuck)
    with Jail(settings, SystemClock()) as jail:
        jail.frame(path, 0)
        assert jail.child_pid is not None
        os.kill(jail.child_pid, signal.SIGSTOP)
        description = jail.describe(path)
        assert description.state is FileState.UNUSABLE
        assert "0.2 s" in (description.reason or "")


# Trace: REQ-013
def test_a_reader_that_was_kept_waiting_gets_its_time_once_more(write_dicom: Callable[..., Path]) -> None:
    """A machine that stood still, or was busy with something else, sets no image aside."""
    path = write_dicom(RAMP)
    with Jail(ReadingSettings(parse_timeout_s=1.0, decode_timeout_s=0.5), SystemClock()) as jail:
        jail.frame(path, 0)
        assert jail.child_pid is not None
        held = psutil.Process(jail.child_pid)
        for read in (jail.begin_frame, lambda path, _: jail.begin_describe(path)):
            held.suspend()
            goes_on = threading.Timer(1.7, held.resume)
            pending = read(path, 0)
            goes_on.start()
            if isinstance(pending, PendingFrame):
                assert np.array_equal(pending.image().stored, RAMP)
            else:
                assert pending.description().state is FileState.WHOLE
        assert jail.child_pid == held.pid


def test_a_reader_that_computes_all_the_while_does_not(
    write_dicom: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SystemClock()
    monkeypatch.setattr(JailProcess, "computed_s", lambda self: clock.monotonic_ns() / NS_PER_S)
    with Jail(ReadingSettings(parse_timeout_s=1.0), clock) as jail:
        path = write_dicom(RAMP)
        jail.frame(path, 0)
        assert jail.child_pid is not None
        held = psutil.Process(jail.child_pid)
        held.suspend()
        pending = jail.begin_describe(path)
        goes_on = threading.Timer(1.7, held.resume)
        goes_on.start()
        assert pending.description().state is FileState.UNUSABLE
        goes_on.cancel()


# Trace: REQ-013
def test_memory_is_bounded(write_dicom: Callable[..., Path]) -> None:
    """A codestream that claims 15000 x 15000 pixels, inside the frame limit but not inside the memory."""
    small = imagecodecs.jpegls_encode(RAMP)
    side = 15000
    start = small.index(b"\xff\xf7")
    claimed = small[: start + 5] + side.to_bytes(2, "big") * 2 + small[start + 9 :]
    path = write_dicom(RAMP, syntax=JPEG_LS, frames=[claimed], Rows=side, Columns=side)
    with Jail(ReadingSettings(memory_bytes=700 * MIB), SystemClock()) as jail:
        assert jail.describe(path).state is FileState.WHOLE
        with pytest.raises(InputError, match="more memory"):
            jail.frame(path, 0)
        good = write_dicom(RAMP, name="good.dcm", syntax=JPEG_LS, frames=[small], Rows=64, Columns=48)
        assert np.array_equal(jail.frame(good, 0).stored, RAMP)


# Trace: REQ-013
def test_the_reader_cannot_write_files(jail: Jail) -> None:
    assert jail.child_pid is not None
    limits = psutil.Process(jail.child_pid)
    assert limits.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert limits.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert limits.rlimit(psutil.RLIMIT_AS) == (ReadingSettings().memory_bytes,) * 2


def test_the_reader_dies_with_its_keeper() -> None:
    program = (
        "from appliance.clock import SystemClock\n"
        "from appliance.config import ReadingSettings\n"
        "from appliance.intake.jail import Jail\n"
        "from pathlib import Path\n"
        "jail = Jail(ReadingSettings(), SystemClock()).__enter__()\n"
        "jail.describe(Path('/nowhere'))\n"
        "print(jail.child_pid, flush=True)\n"
        "input()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as keeper:
        assert keeper.stdout is not None
        child = psutil.Process(int(keeper.stdout.readline()))
        child.suspend()  # stuck in a decoder, it would not notice by itself
        keeper.kill()
        keeper.wait()
        child.wait(timeout=10)


def test_a_jail_that_cannot_start_blames_no_file(write_dicom: Callable[..., Path]) -> None:
    """A limit that the kernel refuses to set."""
    path = write_dicom(RAMP)
    impossible = ReadingSettings().model_copy(update={"memory_bytes": 2**70})
    with Jail(impossible, SystemClock()) as jail:
        with pytest.raises(EngineError, match="could not be started"):
            jail.describe(path)
        with pytest.raises(EngineError):
            jail.frame(path, 0)


def test_kept_frames_never_change(jail: Jail, write_dicom: Callable[..., Path]) -> None:
    """Twelve frames kept at once: each has its own pixels until it is let go."""
    stack = np.stack([np.full((32, 40), value, np.uint16) for value in range(12)])
    path = write_dicom(stack)
    kept = [jail.frame(path, index) for index in range(12)]
    corners = [image.stored[::7, ::5] for image in kept]
    del kept
    for index in range(12):
        jail.frame(path, index)
    assert [set(corner.ravel().tolist()) for corner in corners] == [{value} for value in range(12)]


def test_frames_outlive_the_jail_and_cannot_be_written(write_dicom: Callable[..., Path]) -> None:
    path = write_dicom(RAMP)
    with Jail(ReadingSettings(), SystemClock()) as jail:
        image: PixelImage = jail.frame(path, 0)
    assert np.array_equal(image.stored, RAMP)
    with pytest.raises(ValueError, match="read-only"):
        image.stored[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        image.stored.flags.writeable = True


def test_an_abandoned_request_disturbs_nothing(jail: Jail, write_dicom: Callable[..., Path]) -> None:
    first = write_dicom(RAMP, name="first.dcm")
    second = write_dicom(RAMP + 1, name="second.dcm")
    jail.begin_frame(first, 0)
    assert np.array_equal(jail.frame(second, 0).stored, RAMP + 1)


def test_hundreds_of_requests_may_wait(jail: Jail, write_dicom: Callable[..., Path]) -> None:
    """More than the socket between keeper and reader can hold, either way."""
    path = write_dicom(RAMP, PatientComments="x" * 5000)
    waiting = [jail.begin_describe(path, sha256=str(index)) for index in range(600)]
    frame = jail.begin_frame(path, 0)
    for index, pending in enumerate(waiting):
        found = pending.description().instance
        assert found is not None
        assert found.sha256 == str(index)
    assert np.array_equal(frame.image().stored, RAMP)


def test_a_frame_larger_than_the_first_buffer_is_asked_for_again(
    jail: Jail, write_dicom: Callable[..., Path]
) -> None:
    large = np.arange(3000 * 3000, dtype=np.uint32).astype(np.uint16).reshape(3000, 3000)
    path = write_dicom(large, name="large.dcm")
    small = write_dicom(RAMP, name="small.dcm", raw=RAMP.tobytes())
    asked = [jail.begin_frame(small, 0), jail.begin_frame(path, 0), jail.begin_frame(small, 0)]
    images = [pending.image() for pending in asked]
    assert np.array_equal(images[1].stored, large)
    assert np.array_equal(images[0].stored, images[2].stored)


def test_a_file_that_changed_is_read_anew(jail: Jail, write_dicom: Callable[..., Path]) -> None:
    path = write_dicom(RAMP)
    jail.frame(path, 0)
    write_dicom(RAMP + 7)
    assert np.array_equal(jail.frame(path, 0).stored, RAMP + 7)


def test_names_of_any_bytes(jail: Jail, write_dicom: Callable[..., Path], tmp_path: Path) -> None:
    path = write_dicom(RAMP)
    odd = tmp_path / os.fsdecode(b"\xff\xfe \n x.dcm")
    path.rename(odd)
    description = jail.describe(odd)
    assert description.instance is not None
    assert description.instance.path == odd
    assert np.array_equal(jail.frame(odd, 0).stored, RAMP)
