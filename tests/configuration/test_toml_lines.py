# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Lines and faults of TOML texts, whole and broken."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.configuration.toml_lines import read_toml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WHOLE = '''
a = 1
[listener]  # the door
port = 104
names = [
  "x",  # [no.table]
  "y",
]
text = """
[also = no table
"""
"odd key".dotted = true
[[sender.peers]]
name = "p"
inner = { host = "h", port = 1 }
[sender.peers.more]
deep = 1
[[sender.peers]]
name = "q"
[sender.other]
'''


def test_a_whole_text_is_what_the_library_reads_and_each_key_has_its_line() -> None:
    found = read_toml(WHOLE)
    assert found.faults == []
    assert found.content == tomllib.loads(WHOLE)
    assert found.lines["a",] == 2
    assert found.lines["listener", "port"] == 4
    assert found.lines["listener", "names"] == 5
    assert found.lines["listener", "text"] == 9
    assert found.lines["listener", "odd key", "dotted"] == 12
    assert found.lines["sender", "peers", 0, "inner", "port"] == 15
    assert found.lines["sender", "peers", 0, "more", "deep"] == 17
    assert found.lines["sender", "peers", 1, "name"] == 19
    assert found.line_of(("sender", "peers", 1, "port")) == 18
    assert found.line_of(("worker", "threads")) is None


def test_every_fault_is_found_and_what_is_right_beside_it_is_read() -> None:
    found = read_toml(
        "one = \n[listener\nport = 1\n[worker]\nthreads = 2 3\nlease_s = 'x\nmax = [1,\n2\nidle = 1\n"
        "idle = 2\n[worker]\n[alerts]\nflags = 3\n"
    )
    assert [fault.line for fault in found.faults] == [1, 2, 5, 6, 7, 10, 11]
    assert found.content == {"worker": {"idle": 1}, "alerts": {"flags": 3}}


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\n[a]\nb = 1\n",
        "[a]\nb = 1\n[[a]]\n",
        "[a.b]\n[a]\nb = 1\n",
        "a = {b = 1}\n[a]\nc = 1\n",
        "a" * 9,
    ],
)
def test_what_the_library_refuses_is_a_fault(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    assert read_toml(text).faults


def test_a_text_nested_too_deeply_is_a_fault() -> None:
    assert read_toml("a = " + "[" * 5000).faults


LINE = st.one_of(
    st.from_regex(r"[a-c](\.[a-c])? = (1|'x'|\[1,|\[\]|\{a = 1\})", fullmatch=True),
    st.from_regex(r"\[\[?[a-c](\.[a-c])?\]?\]?", fullmatch=True),
    st.sampled_from(["]", '"""', "# note", "", "= 3", "x"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE, max_size=8).map("\n".join))
def test_it_agrees_with_the_library_about_what_is_whole(text: str) -> None:
    found = read_toml(text)
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert found.faults
        assert all(1 <= fault.line <= text.count("\n") + 1 and fault.why for fault in found.faults)
    else:
        assert found.faults == []
        assert found.content == expected
