# SPDX-License-Identifier: Apache-2.0
"""The package by itself: installed from the source tree, without the engine, its fixtures in any pytest."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts"
PAGE = (ROOT / "docs" / "rules.md").read_text()
BLOCKS = dict(re.findall(r"```python (\S+)\n(.*?)```", PAGE, re.S))
#: Nothing of ours is on the path but what is installed.
BARE = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ENTENTE"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("pip", "setuptools", "wheel"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "scripts"  # building leaves folders behind
    shutil.copytree(SCRIPTS, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", folder, source],
        env=BARE, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", folder, wheel], env=BARE, check=True
    )
    return folder


def test_nothing_is_left_out(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {n for n in packed.namelist() if ".dist-info/" not in n}
    ours = {str(p.relative_to(SCRIPTS)) for p in SCRIPTS.glob("*/**/*") if p.is_file() and p.suffix in (".py", ".pyi", ".typed")}
    assert names == ours | {"entente/py.typed"}


def test_its_version_is_that_of_the_engine(wheel: Path) -> None:
    found = re.search(r"project\(entente VERSION (\S+) ", (ROOT / "CMakeLists.txt").read_text())
    assert found and wheel.name.startswith(f"entente-{found[1]}-")


def test_it_imports_anywhere(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import entente, entente.books as b; print(entente.__file__, len(b.load_books(['shipped']).rules))"],
        cwd=tmp_path, env={**BARE, "PYTHONPATH": str(site)}, text=True, capture_output=True, check=True,
    )  # fmt: skip
    where, rules = done.stdout.split()
    assert where.startswith(str(site)) and int(rules) >= 8


def test_any_pytest_has_the_fixtures(site: Path, tmp_path: Path) -> None:
    """No option, no configuration: the rules beside the test are the book."""
    for name, text in BLOCKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "rules"],
        cwd=tmp_path, env={**BARE, "PYTHONPATH": str(site)}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"^visits_without_orders +1 +1 +1$", done.stdout, re.M)
