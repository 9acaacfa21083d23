# SPDX-License-Identifier: Apache-2.0
"""Projects and made-up exports are those of the tests of the whole program."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
