#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the packages of dist/ as a clinic would: into a bare root of the distribution, without a network, and
# boots it twice under its own systemd. What is measured and seen there goes to FOLDER/SUITE.out. Needs root,
# debootstrap and systemd-nspawn; the distribution's own packages are fetched before the network is cut.
#
#   try.sh bookworm|noble FOLDER
#
# SCANSIDE_KEYRING names the keyring of a distribution whose keys this machine does not have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

suite="${1:?usage: try.sh bookworm|noble FOLDER}"
folder="$(mkdir -p "${2:?usage: try.sh bookworm|noble FOLDER}" && cd "$2" && pwd)"
base="$folder/$suite.base" root="$folder/$suite.root" out="$folder/$suite.out" partition="$folder/$suite.partition"
here=packaging/try_bare

fail() { # what, remedy
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 1
}

case "$suite" in
bookworm) suffix=deb12 components=main mirror=() ;;
noble)
    suffix=ubuntu24.04 components=main,universe
    # Debian's debootstrap may be older than this release: its rules are those of every Ubuntu.
    mirror=("$(sed -n 's/^\tdefault_mirror //p' /usr/share/debootstrap/scripts/gutsy | sed -n 2p)" gutsy)
    ;;
*) fail "There is no suite '$suite' here." "bookworm (Debian 12) or noble (Ubuntu 24.04)" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "Only root can make and boot a root." "Run it as root, on a machine for tries."
for program in debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null || fail "There is no $program here." "apt-get install debootstrap systemd-container"
done
packages=(dist/scanside_*"+${suffix}"_amd64.deb dist/scanside-kiosk_*"+${suffix}"_amd64.deb)
for package in "${packages[@]}"; do
    [ -e "$package" ] || fail "There is no package of $suite in dist/." "make deb ARGS=... (packaging/constraints/targets.toml)"
done

size_of() { du --summarize --block-size=1MiB --one-file-system "$1" | cut -f1; }

# In the root, without a network: its own processes, its own loopback.
inside() { systemd-nspawn --quiet --private-network --register=no --keep-unit --pipe -D "$root" "$@"; }

# Exactly what the packages ask for.
depends="$(dpkg-deb -f "${packages[0]}" Depends), $(dpkg-deb -f "${packages[1]}" Depends | sed 's/^scanside ([^)]*), //')"
tools="systemd systemd-sysv dbus xvfb grim"
if [ "$(cat "$base/.complete" 2>/dev/null)" != "$tools, $depends" ]; then
    rm -rf "$base"
    options=(--variant=minbase --components="$components")
    if [ -n "${SCANSIDE_KEYRING:-}" ]; then options+=(--keyring="$SCANSIDE_KEYRING"); fi
    echo "== a bare $suite"
    debootstrap "${options[@]}" "$suite" "$base" "${mirror[@]}" >"$folder/$suite.debootstrap.log" 2>&1 ||
        fail "debootstrap could not make $suite." "See $folder/$suite.debootstrap.log"
    size_of "$base" >"$base/.mib-bare"
    # That, and what boots the root and takes a picture of its screen.
    chroot "$base" env TOOLS="$tools" DEPENDS="$depends" sh -ec '
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends $TOOLS
        du -sxBM / 2>/dev/null | cut -dM -f1 >/.mib-tools
        apt-get satisfy -y -qq --no-install-recommends "$DEPENDS"
        apt-get clean' >"$folder/$suite.apt.log" 2>&1 ||
        fail "The packages of $suite could not be fetched." "See $folder/$suite.apt.log"
    echo "$tools, $depends" >"$base/.complete"
fi

rm -rf "$root" "$out" "$partition"
cp -a "$base" "$root"
mkdir -p "$out" "$root/srv/try"
before="$(size_of "$root")"

echo "== installing, with no network"
cp "${packages[@]}" "$root/srv/try/"
SECONDS=0
inside sh -c 'dpkg -i /srv/try/*.deb' >"$out/install.log" 2>&1 || fail "dpkg refused." "See $out/install.log"
install_s="$SECONDS"
rm "$root"/srv/try/*.deb
after="$(size_of "$root")"
cp "$here/measure.py" "$root/srv/try/"
cp "$here/try.service" "$root/etc/systemd/system/scanside-try.service"
# A machine without a panel: the same session, in a window that is in memory only.
install -D -m 0644 "$here/panel.conf" "$root/etc/systemd/system/scanside-kiosk.service.d/panel.conf"
cp "$here/panel.service" "$root/etc/systemd/system/scanside-try-panel.service"
ln -sf /etc/systemd/system/scanside-try.service "$root/etc/systemd/system/multi-user.target.wants/"
inside /opt/scanside/current/bin/python /srv/try/measure.py draw

boot() { # name, then what nspawn is told besides
    echo "== boot: $1"
    local name="$1"
    shift
    # As after a power cut: nothing of it in memory.
    python3 - "$root/opt" "$root/usr" <<'PYTHON'
import os
import sys

for top in sys.argv[1:]:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
PYTHON
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout --kill-after=30 600 systemd-nspawn --quiet --private-network \
        --register=no --keep-unit --boot --console=read-only "$@" -D "$root" \
        </dev/null >"$out/console-$name.log" 2>&1 || true
    for try in "$root/srv/try" "$partition/try"; do
        if [ -d "$try/out" ]; then cp -r "$try/out/." "$out/"; fi
    done
    [ -e "$out/$name.json" ] || fail "The boot '$name' ended without an answer." "See $out/console-$name.log"
}
inside /opt/scanside/current/bin/python /srv/try/measure.py waiting first
boot first
inside /opt/scanside/current/bin/python /srv/try/measure.py waiting second
boot second
# A root that nobody writes to, and a data partition.
mkdir -p "$partition"
inside /opt/scanside/current/bin/python /srv/try/measure.py waiting readonly
mv "$root/var/lib/scanside" "$root/srv/try" "$partition/"
mkdir -p "$root/var/lib/scanside" "$root/srv/try"
boot readonly --read-only --tmpfs=/tmp --tmpfs=/var/tmp --tmpfs=/var/log \
    --bind="$partition/scanside:/var/lib/scanside" --bind="$partition/try:/srv/try"
rmdir "$root/var/lib/scanside" "$root/srv/try"
mv "$partition/scanside" "$root/var/lib/"

echo "== taken away again"
inside sh -c 'dpkg -r scanside-kiosk scanside; test ! -e /opt/scanside/current; dpkg -P scanside-kiosk scanside; ls -A /opt/scanside 2>/dev/null; test -d /var/lib/scanside/spool' >"$out/purge.log" 2>&1 ||
    fail "Removing went wrong." "See $out/purge.log"

cat >"$out/sizes.json" <<JSON
{"bare_mib": $(cat "$base/.mib-bare"), "with_tools_mib": $(cat "$base/.mib-tools"), "with_dependencies_mib": $before,
 "installed_mib": $((after - before)), "install_s": $install_s}
JSON
cat "$out"/*.json
