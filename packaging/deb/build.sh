#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the packages of one target of packaging/constraints/targets.toml, or of `all`, into dist/. The wheels
# come from pip's usual places, and each has to have the hash of its lock. Same commit, same bytes: times are
# the commit's. The system's Python packages are not touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

wanted="${1:-debian12-amd64}"
python=.venv/bin/python
here=packaging/deb

fail() { # what, remedy
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 1
}

for program in dpkg-buildpackage dh readelf; do
    command -v "$program" >/dev/null || fail "There is no $program here." \
        "Install what builds packages: apt-get install debhelper dpkg-dev binutils"
done

SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH
version="$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')"

value_of() { # target, key
    "$python" -c 'import sys, tomllib
print(tomllib.load(open("packaging/constraints/targets.toml", "rb"))[sys.argv[1]][sys.argv[2]])' "$1" "$2"
}

names() { # the targets that were asked for
    "$python" - "$wanted" <<'PYTHON'
import sys
import tomllib

with open("packaging/constraints/targets.toml", "rb") as file:
    known = list(tomllib.load(file))
if sys.argv[1] not in (*known, "all"):
    sys.exit(f"There is no target '{sys.argv[1]}'.\nOne of: {', '.join(known)}, or all")
print(*(known if sys.argv[1] == "all" else [sys.argv[1]]), sep="\n")
PYTHON
}

fill_in() { # files; what stands between @ signs
    sed -i -e "s#@VERSION@#$full#g" -e "s#@PYTHON@#$minor#g" -e "s#@PYTHON_NEXT@#3.$((${minor#3.} + 1))#g" \
        -e "s#@ARCHITECTURE@#$architecture#g" -e "s#@TITLE@#$title#g" -e "s#@SCREEN@#$screen#g" -e "s#@SEES@#$sees#g" "$@"
}

# What Qt's widgets load (packaging/setup/system_libraries.sh), and the session that shows them.
qt="libglib2.0-0t64 | libglib2.0-0, libgl1, libegl1, libfontconfig1, libxkbcommon0, libdbus-1-3"
fonts="fonts-dejavu-core, fonts-noto-core"
wayland="libwayland-cursor0, libwayland-egl1, cage, xwayland, seatd, udev"
x11="libxcb-cursor0, libxcb-icccm4, libxcb-keysyms1, libxkbcommon-x11-0, libxcb-shape0, xserver-xorg-core, xserver-xorg-input-libinput, x11-xserver-utils, matchbox-window-manager, unclutter"

build() { # target
    local target="$1" work="build/deb/$1"
    minor="$(value_of "$target" python)"
    architecture="$(value_of "$target" architecture)"
    title="$(value_of "$target" title)"
    full="$version+$(value_of "$target" suffix)"
    session="$wayland"
    # JetPack brings TensorRT as packages of the system's Python.
    sees=""
    if [ "${target#jetpack}" != "$target" ]; then sees=" --system-site-packages"; fi
    if [ "$target" = jetpack6 ]; then session="$x11"; fi
    screen="$qt, $fonts, $session"

    echo "== $title: scanside $full"
    rm -rf "$work"
    mkdir -p "$work/source"
    # The wheel from a copy of what is committed: nothing that lies around gets into a package.
    git archive HEAD | tar -x -C "$work/source"
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --wheel-dir "$work" "$work/source"
    local site="opt/scanside/slots/$full/lib/python$minor/site-packages"
    local appliance="$work/trees/scanside" kiosk="$work/trees/scanside-kiosk"
    mkdir -p "$appliance/$site" "$kiosk/$site"
    "$python" "$here/fill_slot.py" "$target" "$work"/scanside-*.whl "$appliance/$site"
    mv "$appliance/$site"/ui "$appliance/$site"/[Pp]y[Qq]t6* "$kiosk/$site/"

    # Where debhelper looks for units; the same folder as usr/lib on every target.
    local units=lib/systemd/system
    install -d "$appliance/$units" "$kiosk/$units" "$appliance/usr/share/scanside" "$kiosk/usr/lib/systemd/logind.conf.d"
    # That of the slots is there and not enabled: a site chooses it (docs/updates.md).
    install -m 0644 packaging/systemd/*.service packaging/systemd/slots/*.service packaging/systemd/scanside.target "$appliance/$units/"
    mv "$appliance/$units/scanside-kiosk.service" "$kiosk/$units/"
    if [ "$target" = jetpack6 ]; then
        install -m 0644 packaging/systemd/x11/scanside-display.service "$kiosk/$units/"
        install -D -m 0644 packaging/systemd/x11/kiosk.conf "$kiosk/$units/scanside-kiosk.service.d/x11.conf"
    fi
    install -m 0644 packaging/systemd/no-terminals.conf "$kiosk/usr/lib/systemd/logind.conf.d/50-scanside-kiosk.conf"
    cp -r packaging/systemd/drop-ins "$appliance/usr/share/scanside/"
    install -D -m 0755 "$here/scanside" "$appliance/usr/bin/scanside"
    install -D -m 0644 "$here/scanside.toml" "$appliance/etc/scanside/scanside.toml"
    install -d "$appliance/etc/scanside/keys" "$appliance/etc/scanside/update-keys" "$appliance/etc/scanside/courier-keys"

    cp -r "$here/debian" "$work/debian"
    fill_in "$work"/debian/control "$work"/debian/*.postinst "$work"/debian/*.prerm
    printf 'scanside (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- The Scanside authors <authors@scanside.invalid>  %s\n' \
        "$full" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" >"$work/debian/changelog"
    cat >"$work/debian/copyright" <<TEXT
Scanside: Apache-2.0, the kiosk (ui) GPL-3.0-or-later; some model weights for evaluation only.
Other packages: each brings its licence in its .dist-info folder below /opt/scanside.
TEXT
    (cd "$work" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps --host-arch "$architecture" \
        >build.log 2>&1) || { tail -n 30 "$work/build.log" >&2; fail "The package was not built." "See $work/build.log"; }
    mkdir -p dist
    mv "$work"/../scanside*_"${full}"_"$architecture".deb dist/
    rm -f "$work"/../scanside*_"${full}"_*.{buildinfo,changes}
    ls -l dist/scanside*_"${full}"_"$architecture".deb
}

for name in $(names); do build "$name"; done
