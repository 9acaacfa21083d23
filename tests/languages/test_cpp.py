# SPDX-License-Identifier: Apache-2.0
"""The example in C++17: built against an installation, one symbol, golden output, and the real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside import BUILD, SOURCE, balance, call, conform, exported, golden

EXAMPLE = SOURCE / "examples" / "plugin-cpp"


@pytest.fixture(scope="module", params=["Release", "Debug"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not optimized, templates of the standard library become symbols of their own."""
    folder = tmp_path_factory.mktemp("kiosk")
    prefix, build = folder / "installed", folder / "build"
    call("cmake", "--install", BUILD, "--prefix", prefix, "--component", "plugin-author")
    strict = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror"
    call(
        "cmake",
        "-S",
        EXAMPLE,
        "-B",
        build,
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_BUILD_TYPE={request.param}",
        strict,
    )
    call("cmake", "--build", build)
    return build / "kiosk.so"


def test_one_symbol(shared: Path) -> None:
    assert exported(shared) == ["ent_plugin_entry"]


def test_golden(shared: Path, tmp_path: Path) -> None:
    golden(EXAMPLE, shared, tmp_path)


def test_conformance(shared: Path) -> None:
    conform(EXAMPLE, shared)


def test_in_the_worker(shared: Path, tmp_path: Path) -> None:
    told = balance(EXAMPLE, shared, tmp_path)
    assert (told["records"], told["consumed"], told["skipped"], told["rejected"], told["closes"]) == (11, 5, 1, 5, True)
    for reason in ("state is none of paid, open, void", "price is no amount", "at is no time", "not JSON"):
        assert reason in told["rejects"]
