# SPDX-License-Identifier: Apache-2.0
"""The sample, made once for all tests of this folder."""

import datetime
from pathlib import Path

import pytest
from entente.sample import Span, generate

SPAN = Span.of(datetime.date(2026, 6, 30), 18)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as everybody gets it."""
    directory = tmp_path_factory.mktemp("sample") / "project"
    generate(directory, seed=7, span=SPAN)
    return directory
