# SPDX-License-Identifier: Apache-2.0
"""A soak of some minutes, see soak.py; ENTENTE_SOAK_MINUTES (3)."""

import os
from pathlib import Path

from soak import Run


def test_soak(tmp_path: Path) -> None:
    run = Run(tmp_path, float(os.environ.get("ENTENTE_SOAK_MINUTES", "3")) * 60, 1, print)
    try:
        told = run.run()
    finally:
        if run.service.child is not None and run.service.child.poll() is None:
            run.service.child.kill()
            run.service.child.wait()
    counts = told["counts"]
    # it was no idle time: everything was fed, and things went wrong
    for what in ("files", "hooks", "piped", "polled", "kill.core", "kill.worker", "stop.cont", "stop", "reload.active", "reload.refused"):
        assert counts.get(what, 0) > 0, (what, counts)
    assert told["memory_most_mib"] < 150, told
    assert told["memory_second_half_mib"] < 1.5 * told["memory_first_half_mib"] + 20, told
