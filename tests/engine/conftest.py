# SPDX-License-Identifier: Apache-2.0
"""The tests of the engine through the program use the same project as those from end to end."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
