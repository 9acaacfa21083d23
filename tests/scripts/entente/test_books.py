# SPDX-License-Identifier: Apache-2.0
"""Imports that a rulebook is not allowed are told, however they are written."""

from pathlib import Path

import pytest
from entente.books import load_books

RULE = '''
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def says(partner: Partner) -> Findings:
    """Something."""
    yield insight("something")
'''


@pytest.mark.parametrize(
    "text",
    [
        "import pickle, os.path\n",
        "from os import path\n",
        "from collections.abc import (\n    Mapping,\n)\n",
        '"""An important note."""\n',
        '"""Notes on what to import, naïvely."""\n',
        "def later():\n    import math\n    return math.pi\n",
        "from __future__ import annotations\n",
        "x = 1  # import numpy some day\n",
    ],
)
def test_what_may_be_imported(tmp_path: Path, text: str) -> None:
    (tmp_path / "book.py").write_text(text + RULE)
    books = load_books([str(tmp_path)])
    assert [r.name for r in books.rules] == ["says"]
    assert not books.errors


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("import numpy\n", 1, "numpy"),
        ("import os, numpy as np\n", 1, "numpy"),
        ("import os; import numpy\n", 1, "numpy"),
        ("import os\nfrom numpy import (\n    array,\n)\n", 2, "numpy"),
        ("from numpy \\\n    import array\n", 1, "numpy"),
        ("if True: import numpy\n", 1, "numpy"),
        ("import numpy.linalg  # fast\n", 1, "numpy"),
        ("def later():\n    from numpy.linalg import solve\n", 2, "numpy"),
        ("import\tnumpy\n", 1, "numpy"),
    ],
)
def test_what_may_not(tmp_path: Path, text: str, line: int, name: str) -> None:
    (tmp_path / "book.py").write_text(text + RULE)
    books = load_books([str(tmp_path)])
    assert not books.rules
    assert [(e.line, e.what) for e in books.errors] == [(line, f"rules may not import {name}")]
