# SPDX-License-Identifier: Apache-2.0
"""Sample data: a seeded generator of a whole project in the real layouts, with truths planted in it.

`python3 -m entente.sample DIR` writes it. The same seed writes the same bytes. Nothing here imports
the rest of the package, so that the generator runs where the engine is not built yet.
"""

from .project import generate
from .world import PARTNERS, Partner, Span, Truth

__all__ = ["PARTNERS", "Partner", "Span", "Truth", "generate"]
