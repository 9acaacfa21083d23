# SPDX-License-Identifier: Apache-2.0
"""What `entente doctor` says of the sandbox is what a run reaches, on this kernel and on one without Landlock."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CONFIGURATION = """\
version: 1
store: ./store
currency: EUR
as_of: latest
sandbox: {mode}
partners:
  corner: {{name: Corner Shop, zone: UTC}}
sources:
  sales:
    partner: corner
    from: {{file: ./sales.csv}}
    decode:
      csv:
        fact: order-lines
        columns: {{order: order, key: item, at: when, quantity: qty, unit_price: price}}
        constants: {{currency: EUR}}
"""

CREATE_RULESET = 444  # landlock_create_ruleset, on every architecture
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ENOSYS = 0x00050026
ALLOW = 0x7FFF0000


def forget_landlock() -> None:
    """Filters the call by which Landlock is asked for, as a kernel without it would answer."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = [(LOAD, 0, 0, 0), (EQUAL, 0, 1, CREATE_RULESET), (RETURN, 0, 0, ENOSYS), (RETURN, 0, 0, ALLOW)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(filters)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0):
        os._exit(126)


def run(folder: Path, *words: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    entente = os.environ["ENTENTE_BIN"] + "/entente"
    return subprocess.run(
        [entente, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False, preexec_fn=before
    )


def project(folder: Path, mode: str) -> None:
    (folder / "entente.yaml").write_text(CONFIGURATION.format(mode=mode))
    (folder / "sales.csv").write_text("order,item,when,qty,price\nA1,1,2024-03-01 10:00,1,2.50\n")


def level_of(answer: subprocess.CompletedProcess[str]) -> str:
    [text] = [c["text"] for c in json.loads(answer.stdout)["checks"] if c["name"] == "decoder worker"]
    return str(text).split("sandbox: ")[1]


def test_doctor_and_run_say_the_same_level(tmp_path: Path) -> None:
    project(tmp_path, "best-effort")
    level = level_of(run(tmp_path, "doctor", "--json"))
    assert json.loads(run(tmp_path, "run", "--json").stdout)["read"]["sandbox"] == level
    assert level != "off"


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="the filter is written for these machines")
def test_a_kernel_without_landlock_is_said_and_refused_where_it_is_required(tmp_path: Path) -> None:
    project(tmp_path, "best-effort")
    answer = run(tmp_path, "doctor", "--json", before=forget_landlock)
    if "no seccomp" in level_of(answer):
        pytest.skip("this machine has no seccomp")
    assert level_of(answer) == "seccomp, no landlock (Function not implemented)"
    [landlock] = [c for c in json.loads(answer.stdout)["checks"] if c["name"] == "Landlock"]
    assert landlock["verdict"] == "note"
    assert run(tmp_path, "run", "-q", before=forget_landlock).returncode == 0

    project(tmp_path, "required")
    answer = run(tmp_path, "doctor", before=forget_landlock)
    assert answer.returncode == 1
    assert "only this was reached: seccomp, no landlock" in " ".join(answer.stdout.split())
    (tmp_path / "sales.csv").write_text("order,item,when,qty,price\nA2,1,2024-03-01 10:00,1,2.50\n")
    answer = run(tmp_path, "run", "-q", before=forget_landlock)
    assert answer.returncode == 1
    assert "the sandbox is required" in answer.stderr
