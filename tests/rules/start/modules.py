# SPDX-License-Identifier: Apache-2.0
"""What a worker has imported before it imports what rules want."""
import sys

LOADED = sorted(sys.modules)

from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def modules(partner: Partner) -> Findings:
    """Names of the modules."""
    for name in LOADED:
        yield insight(name, key=name)
