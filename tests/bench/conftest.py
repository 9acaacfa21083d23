# SPDX-License-Identifier: Apache-2.0
"""Programs of this folder import each other; the tests make their exports as those from end to end do."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "e2e")]
