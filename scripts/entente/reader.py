# SPDX-License-Identifier: Apache-2.0
"""What the package needs of a snapshot. In the rules worker it is the C module's Snapshot, in tests that of
entente.fixture."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Protocol

# Kinds of metrics, and states of a read, as _entente names them.
SUM: Final = 0
RATIO: Final = 1
DISTINCT: Final = 2
DISTRIBUTION: Final = 3

KNOWN: Final = 0
NO_COVERAGE: Final = 1
NO_RATE: Final = 2
NO_DENOMINATOR: Final = 3
STATES: Final = ("known", "no_coverage", "no_rate", "no_denominator")

ORIGINS: Final = ("shop", "analytics", "declared", "benchmark", "forecast")
DECLARED: Final = 2
VIEWS: Final = (
    "total",
    "channel",
    "category",
    "country",
    "campaign",
    "device",
    "source",
    "region",
    "vendor",
    "product",
    "customer",  # from here on: never kept in cells, see table.py
    "step",
    "load_time",
)
CUSTOMER: Final = VIEWS.index("customer")

if TYPE_CHECKING:

    class RawSeries(Protocol):
        """Values of one metric by day, as the snapshot holds them."""

        @property
        def day0(self) -> int: ...
        @property
        def scale(self) -> int: ...
        @property
        def unit(self) -> str: ...
        def __len__(self) -> int: ...
        def __getitem__(self, index: int) -> int: ...
        def __iter__(self) -> Iterator[int]: ...
        def moment(self) -> int: ...
        def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

    class RawFacts(Protocol):
        """Single facts of a partner, in columns."""

        @property
        def ever(self) -> int: ...
        def __len__(self) -> int: ...
        def columns(self) -> list[tuple[str, str]]: ...
        def column(self, name: str) -> Any: ...  # anything that has a buffer
        def texts(self) -> list[str]: ...

    class Snapshot(Protocol):
        """Everything that rules may look at, for one moment. See _entente.pyi for the meaning of each method."""

        @property
        def as_of(self) -> int: ...
        def at(self, day: int) -> Snapshot: ...
        def day_of(self, partner: int) -> int: ...
        def days_differ(self) -> bool: ...
        @property
        def currency(self) -> str: ...
        @property
        def generation(self) -> int: ...
        def partners(self) -> list[str]: ...
        def partner_json(self, partner: int) -> str: ...
        def meta_json(self) -> str: ...
        def metrics(self) -> list[tuple[str, int, str, str, str, str, str]]: ...
        def window(
            self,
            partner: int,
            metric: int,
            start: int,
            stop: int,
            origin: int = -1,
            view: int = 0,
            value: str = "",
        ) -> tuple[int, int, int, int, int, int]: ...
        def quantile(self, partner: int, metric: int, start: int, stop: int, q: float) -> tuple[int, int]: ...
        def values(
            self, partner: int, metric: int, view: int, start: int, stop: int, origin: int = -1
        ) -> list[str]: ...
        def origins(self, partner: int, metric: int) -> list[int]: ...
        def series(
            self,
            partner: int,
            metric: int,
            start: int,
            stop: int,
            origin: int = -1,
            view: int = 0,
            value: str = "",
        ) -> RawSeries: ...
        def covers(self, partner: int, metric: int, origin: int = -1) -> list[tuple[int, int, bool, str]]: ...
        def cohort(
            self, partners: bytes, metric: int, start: int, stop: int, origin: int = -1
        ) -> list[tuple[int, int, int]]: ...
        def rate(self, currency: str, day: int) -> int: ...
        def facts(self, partner: int, kind: int, start: int, stop: int) -> RawFacts: ...
        def cut(
            self, partner: int, metric: int, view: int, start: int, stop: int, origin: int
        ) -> tuple[Snapshot, int]: ...
        def integrity(self, partner: int, checks: int, start: int, stop: int) -> str: ...

else:  # nobody looks at them at run time
    RawFacts = RawSeries = Snapshot = object
