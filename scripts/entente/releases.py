# SPDX-License-Identifier: Apache-2.0
"""The log of releases: whose figures were shown together. Two sets of partners that differ by fewer than k would show, one
subtracted from the other, what these few have; so the later of them is not released.

An entry says: for this slice (metric, origin, part, kind of figure, length of the window) these partners were shown
together as that cohort, in windows that ended from one day to another. Windows that share less than half of their days are
not compared: what could be subtracted is then as much of what happened meanwhile as of who came or went.

What is decided depends on the log as it stood before the evaluation, and on the wider cohorts of the same rule, but not on
what else was asked meanwhile: so every worker decides alike, in whatever order. Where two sets that are new contradict each
other the core finds it, refuses the narrower one, and has all judged again (core/engine/released.c).

A set that may not be released is first held: the set that was shown before stands as long as all of it is known, and who came
newly waits until k have come. Where somebody of it is no longer known, a large cohort leaves out a few more, so that k are
missing and not one. A small one is not known, until its window has moved on by half."""

from __future__ import annotations

import math
from array import array
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final, Protocol

    class Asker(Protocol):
        """Whose figures are to be shown."""

        def known(self, whom: tuple[int, ...]) -> bool:
            """Whether all of them have the figure."""

        def beyond(self, key: tuple[tuple[str, str], ...], whose: bytes) -> str:
            """A wider cohort that has hardly more partners who do; "": none."""


_MOST_REFUSED: Final = 1000  # that are kept of one evaluation, for people to read
_WIDTH: Final = 4  # bytes of a number
_SPARE: Final = 4  # a cohort is thinned only if so many times k are left


class Shown:
    """A set of partners that was shown together."""

    __slots__ = ("slice", "cohort", "first", "stop", "days", "seen", "who", "_set")

    def __init__(
        self, slice_: str, cohort: str, first: int, stop: int, days: int, seen: int, who: bytes
    ) -> None:
        self.slice, self.cohort = slice_, cohort
        self.first, self.stop, self.days = (
            first,
            stop,
            days,
        )  # where its windows end: the first, the last; how long they are
        self.seen = seen  # the day as of which it was last written down that it was shown
        self.who = who  # packed, ascending: most sets are only ever compared as a whole
        self._set: frozenset[int] | None = None

    @property
    def set(self) -> frozenset[int]:
        """The same, to reckon with."""
        if self._set is None:
            self._set = frozenset(unpacked(self.who))
        return self._set

    def moved(self, stop: int) -> int:
        """By how many days a window that ends there has moved on from the nearest of its own."""
        return max(self.first - stop, stop - self.stop, 0)


class Refused:
    """A set that was not shown, and why."""

    __slots__ = ("slice", "cohort", "start", "stop", "why")

    def __init__(self, slice_: str, cohort: str, start: int, stop: int, why: str) -> None:
        self.slice, self.cohort, self.start, self.stop, self.why = slice_, cohort, start, stop, why


class Log:
    """What was shown before, and what this evaluation adds to it."""

    def __init__(self, least: int, as_of: int, known: Any = None, refused: Iterable[Any] = ()) -> None:
        """`known`: {"sets": [...], "rows": [[slice, cohort, first end, last end, days, as of, number of a set]]}."""
        self.least, self.as_of = least, as_of
        self._of: dict[tuple[str, str], list[Shown]] = {}
        self._near: dict[tuple[str, int], list[Shown]] = {}
        self._refused = {(str(s), str(c), int(a), int(b)) for s, c, a, b in refused}
        self._fresh: dict[tuple[str, str, int, int], tuple[int, Shown]] = {}
        self._not: dict[tuple[str, str], Refused] = {}
        if known:
            sets = [bytes.fromhex(who) for who in known["sets"]]
            for slice_, cohort, first, stop, days, seen, number in known["rows"]:
                self._take(Shown(slice_, cohort, first, stop, days, seen, sets[number]))

    def _take(self, shown: Shown) -> None:
        self._of.setdefault((shown.slice, shown.cohort), []).append(shown)
        # Two sets that differ by fewer than k share one of their k smallest: see near()
        for one in self._smallest(shown.who):
            self._near.setdefault((shown.slice, one), []).append(shown)

    def _smallest(self, who: bytes) -> tuple[int, ...]:
        return unpacked(who[: self.least * _WIDTH])

    def near(self, slice_: str, stop: int, days: int, who: bytes) -> tuple[bool, list[Shown]]:
        """Whether just this set was shown; and else what was shown that differs from it by fewer than k.

        Of the k smallest of two sets together fewer than k can be in one alone, so one is in both; and it is among
        the k smallest of either."""
        found: dict[int, Shown] = {}
        for one in self._smallest(who):
            for shown in self._near.get((slice_, one), ()):
                found[id(shown)] = shown
        close = []
        wanted: frozenset[int] | None = None
        for shown in found.values():
            if abs(len(shown.who) - len(who)) >= self.least * _WIDTH or 2 * shown.moved(stop) > max(
                shown.days, days
            ):
                continue
            if shown.who == who:
                return True, []
            wanted = frozenset(unpacked(who)) if wanted is None else wanted
            if len(shown.set ^ wanted) < self.least:
                close.append(shown)
        return False, close

    def settle(
        self,
        place: tuple[str, str, int, int],
        who: bytes,
        asker: Asker,
        key: tuple[tuple[str, str], ...],
    ) -> tuple[bytes, str]:
        """Which set is to be shown in place of this one, most often itself; or b"", and why none."""
        slice_, cohort, start, stop = place
        days = stop - start
        if place in self._refused:
            return b"", f"the figures of {cohort} differ by too few partners from others that are shown"
        same, close = self.near(slice_, stop, days, who)
        if same:
            return who, ""
        if not close:
            wider = asker.beyond(key, who)
            if wider:
                return b"", f"{wider} has fewer than {self.least} partners more than {cohort}"
            return who, ""
        own = [s for s in self._of.get((slice_, cohort), ()) if 2 * s.moved(stop) <= max(s.days, days)]
        own.sort(key=lambda s: (s.days != days, s.moved(stop), -s.stop))
        for shown in own:
            if len(shown.who) >= self.least * _WIDTH and asker.known(unpacked(shown.who)):
                return shown.who, ""
        thin = self._thinned(slice_, who, close)
        if thin and self.near(slice_, stop, days, thin) == (False, []) and not asker.beyond(key, thin):
            return thin, ""
        other = close[0].cohort
        if other == cohort:
            return b"", (
                f"fewer than {self.least} partners of {cohort} came or went since its figures were last shown, "
                "and the difference would tell theirs"
            )
        return b"", f"{cohort} differs by fewer than {self.least} partners from {other}, which was shown"

    def _thinned(self, slice_: str, who: bytes, close: list[Shown]) -> bytes:
        """The set without a few that all the others have, the same few in whatever order it is asked."""
        numbers = unpacked(who)
        wanted = frozenset(numbers)
        lacking = self.least - min(len(shown.set ^ wanted) for shown in close)
        if len(numbers) - lacking < _SPARE * self.least:
            return b""
        common = wanted.intersection(*(shown.set for shown in close))
        salt = crc32(slice_.encode())
        chosen = sorted(common, key=lambda one: ((one * 0x9E3779B1 ^ salt) & 0xFFFFFFFF, one))[:lacking]
        gone = set(chosen)
        return packed([one for one in numbers if one not in gone]) if len(chosen) == lacking else b""

    def show(self, place: tuple[str, str, int, int], rank: int, who: bytes) -> None:
        """The set is shown."""
        slice_, cohort, start, stop = place
        for shown in self._of.get((slice_, cohort), ()):
            idle = max(shown.moved(stop), abs(self.as_of - shown.seen))
            if shown.who == who and shown.days == stop - start and 8 * idle <= shown.days:
                return  # as it stands in the log, or nearly: it is not written again each day
        self._fresh[place] = (rank, Shown(slice_, cohort, stop, stop, stop - start, self.as_of, who))
        self._not.pop((slice_, cohort), None)

    def refuse(self, place: tuple[str, str, int, int], why: str) -> None:
        """The set is not shown."""
        slice_, cohort, start, stop = place
        if len(self._not) < _MOST_REFUSED:
            self._not[slice_, cohort] = Refused(slice_, cohort, start, stop, why)

    def taken(self) -> dict[str, Any] | None:
        """What is new since the last call, as the core wants it; from now on it counts as shown before."""
        if not self._fresh and not self._not:
            return None
        sets: dict[bytes, int] = {}
        shown = []
        for rank, one in self._fresh.values():
            number = sets.setdefault(one.who, len(sets))
            shown.append([one.slice, one.cohort, one.stop - one.days, one.stop, rank, number])
            self._take(one)
        refused = [[one.slice, one.cohort, one.start, one.stop, one.why] for one in self._not.values()]
        self._fresh, self._not = {}, {}
        return {"sets": [who.hex() for who in sets], "shown": shown, "refused": refused}


def length_of(start: int, stop: int) -> str:
    """How long a window is, so that those that are told apart by a day or two, as months are, count as the same: four steps
    from a length to its double."""
    return str(math.floor(4 * math.log2(stop - start) + 0.1))


def packed(who: Iterable[int]) -> bytes:
    """Numbers of partners, ascending, as they are kept and sent."""
    return array("I", who).tobytes()


def unpacked(who: bytes) -> tuple[int, ...]:
    """The numbers."""
    numbers = array("I")
    numbers.frombytes(who)
    return tuple(numbers)
