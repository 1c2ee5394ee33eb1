#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# System packages that no Python wheel brings: `screen` (what Qt loads, and its fonts), `peers` (independent
# DICOM tools and an archive that the tests compare with, an X server with a pointer). Installs what is missing
# as root or through `sudo -n`; otherwise says what to install and carries on: without `screen` there is no
# kiosk, without `peers` some tests skip, without `packages` (what builds .deb files) there are none.
set -euo pipefail

group="${1:?usage: system_libraries.sh screen|peers|packages}"

library_missing() { # soname
    # Not `grep -q`: it would close the pipe early, and pipefail would call that a failure.
    ! /sbin/ldconfig -p 2>/dev/null | grep -F "$1 " >/dev/null
}

missing=()
case "$group" in
screen)
    # Measured on a minimal Debian 12: without any one of the six, PyQt6.QtWidgets does not import.
    while read -r soname package; do
        if library_missing "$soname"; then missing+=("$package"); fi
    done <<'TABLE'
libglib-2.0.so.0 libglib2.0-0
libGL.so.1 libgl1
libEGL.so.1 libegl1
libfontconfig.so.1 libfontconfig1
libxkbcommon.so.0 libxkbcommon0
libdbus-1.so.3 libdbus-1-3
TABLE
    if [ ! -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]; then missing+=(fonts-dejavu-core); fi
    # Devanagari, and the scripts that names are written in.
    if [ ! -e /usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf ]; then missing+=(fonts-noto-core); fi
    without="the kiosk cannot draw; everything else works"
    ;;
peers)
    if ! command -v storescu >/dev/null; then missing+=(dcmtk); fi
    if ! command -v dciodvfy >/dev/null; then missing+=(dicom3tools); fi
    # A real archive, also over the web, that the tests start themselves on loopback.
    if [ ! -x /usr/sbin/Orthanc ]; then missing+=(orthanc); fi
    if [ ! -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]; then missing+=(orthanc-dicomweb); fi
    # Makes any system call fail (tests/faults).
    if ! command -v strace >/dev/null; then missing+=(strace); fi
    # A share that gives no events, and a clock that jumps.
    if ! command -v bindfs >/dev/null; then missing+=(bindfs); fi
    if ! command -v faketime >/dev/null; then missing+=(faketime); fi
    # A real pointer on a real X server (tests/ui/test_real_pointer.py).
    if ! command -v Xvfb >/dev/null; then missing+=(xvfb); fi
    if ! command -v xdotool >/dev/null; then missing+=(xdotool); fi
    while read -r soname package; do
        if library_missing "$soname"; then missing+=("$package"); fi
    done <<'TABLE'
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxcb-shape.so.0 libxcb-shape0
TABLE
    without="the tests that compare with independent DICOM tools, and those with a real pointer, are skipped"
    ;;
packages)
    if ! command -v dh >/dev/null; then missing+=(debhelper); fi
    if ! command -v dpkg-buildpackage >/dev/null; then missing+=(dpkg-dev); fi
    if ! command -v strip >/dev/null; then missing+=(binutils); fi
    # Wheels for arm64 are made smaller, too.
    if ! command -v aarch64-linux-gnu-strip >/dev/null; then missing+=(binutils-aarch64-linux-gnu); fi
    without="no .deb can be built"
    ;;
*)
    echo "system_libraries.sh: unknown group '$group': screen, peers or packages" >&2
    exit 2
    ;;
esac

if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

say_and_go_on() { # why
    echo "Not installed: ${missing[*]} ($1). Without them $without."
    echo "To install them: apt-get install ${missing[*]}"
    exit 0
}

if ! command -v apt-get >/dev/null; then say_and_go_on "this is not a Debian or Ubuntu system"; fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then say_and_go_on "that needs root"; fi
    as_root=(sudo -n)
fi

echo "Installing system packages: ${missing[*]}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
install() {
    # RUNLEVEL=1: a package that brings a service must not start it.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >>"$log" 2>&1
}
# The lists of a fresh machine are empty or old; only then is the update, which takes a while, worth it.
if ! install; then
    "${as_root[@]}" apt-get update --quiet >>"$log" 2>&1 || true
    if ! install; then
        tail -n 5 "$log" >&2
        say_and_go_on "apt-get could not"
    fi
fi
