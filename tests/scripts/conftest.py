# SPDX-License-Identifier: Apache-2.0
"""Makes the package importable where PYTHONPATH does not name it, and loads the shipped rulebook once."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "scripts") not in sys.path:
    sys.path.insert(0, str(ROOT / "scripts"))

from entente.books import Books, load_books


@pytest.fixture(scope="session")
def book() -> Books:
    """The rules that ship."""
    books = load_books(["shipped"])
    assert books.errors == []
    return books
