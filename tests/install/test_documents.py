# SPDX-License-Identifier: Apache-2.0
"""What is written about the project holds: links lead somewhere, packages and folders are what there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
PAGES = [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]
PAGES += sorted((SOURCE / "examples").rglob("README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def quickstart_packages() -> set[str]:
    text = (SOURCE / "quickstart").read_text()
    lists = re.findall(r"^(?:test_)?packages='(.*?)'$", text, re.MULTILINE | re.DOTALL)
    assert len(lists) == 2
    return {line.split()[0] for part in lists for line in part.splitlines()}


def test_packages_have_a_reason() -> None:
    """docs/dependencies.md has the packages that ./quickstart installs, and no others."""
    rows = re.findall(r"^\| (`.*?) \|", (SOURCE / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == quickstart_packages()


def test_libraries_of_the_build_are_installed() -> None:
    """Each module that a CMakeLists.txt looks for comes with a package of the list."""
    of = {"libuv": "libuv1-dev", "sqlite3": "libsqlite3-dev", "yaml-0.1": "libyaml-dev", "zlib": "zlib1g-dev"}
    of |= {name: f"{name}-dev" for name in ("libsodium", "libxxhash", "libzstd", "libseccomp")}
    of |= {"json-c": "libjson-c-dev", "python3-embed": "python3-dev", "cmocka": "libcmocka-dev", "libcrypto": "libssl-dev"}
    of |= {"expat": "libexpat1-dev", "libical": "libical-dev"}
    of |= {"libmicrohttpd": "libmicrohttpd-dev", "gnutls": "libgnutls28-dev", "libcurl": "libcurl4-openssl-dev"}
    lists = [SOURCE / "CMakeLists.txt"]
    lists += [p for top in ("core", "plugins", "tests") for p in (SOURCE / top).rglob("CMakeLists.txt")]
    wanted = re.compile(r"pkg_check_modules\(\w+ REQUIRED (?:IMPORTED_TARGET )?([\w.+-]+?)(?:>=|[ )])")
    looked_for = {name for file in lists for name in wanted.findall(file.read_text())}
    assert looked_for <= set(of), "a new library: add it to ./quickstart, docs/dependencies.md and here"
    assert {of[name] for name in looked_for} <= quickstart_packages()


def test_files_of_packages_are_installed() -> None:
    """What the build takes from /usr/share as it is: of which package it is, its folder says."""
    lists = [p for top in ("core", "plugins") for p in (SOURCE / top).rglob("CMakeLists.txt")]
    taken = {name for file in lists for name in re.findall(r"/usr/share/javascript/([\w.-]+)", file.read_text())}
    assert taken == {"chart.js"}
    assert {f"libjs-{name}" for name in taken} <= quickstart_packages()


def test_reading_order_knows_every_folder() -> None:
    page = (SOURCE / "docs/reading-order.md").read_text()
    for folder in sorted(p for p in (SOURCE / "core").iterdir() if p.is_dir()):
        assert f"`core/{folder.name}/`" in page
    for name in re.findall(r"\b((?:transport|engine|decode|facts|metrics|rules|command)/\w+\.[ch])\b", page):
        assert (SOURCE / "core" / name).is_file(), name


def test_presets() -> None:
    done = subprocess.run(["cmake", "--list-presets"], cwd=SOURCE, text=True, capture_output=True, check=True)
    names = set(re.findall(r'^\s+"([\w-]+)"', done.stdout, re.MULTILINE))
    assert names == {c + n for c in ("", "clang-") for n in ("release", "debug", "asan", "tsan")}


def test_quickstart_says_what_it_takes() -> None:
    wrong = subprocess.run([SOURCE / "quickstart", "tests"], text=True, capture_output=True, check=False)
    assert wrong.returncode == 2
    assert "./quickstart test" in wrong.stderr
