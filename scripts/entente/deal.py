# SPDX-License-Identifier: Apache-2.0
"""A deal that is being negotiated: packages over issues, what they are worth to either side, and the best for both.

Worth is additive multi-attribute utility (Keeney and Raiffa, Decisions with Multiple Objectives, 1976): of each issue a
side says the worst, the best and what the swing between them weighs; u = sum of weight times value, from 0 to 1. A side's
reservation d is the best of its alternatives, each times the probability that it can be had. Surplus is u - d.

frontier() is exact however many packages there are: as worth is additive, what is dominated in some issues cannot become
better by others, so packages are put together issue by issue, and what is dominated is dropped at once. Only if more than
MOST packages are left side by side are these thinned out evenly. nash() is the one with the largest product of surpluses
(Nash, The Bargaining Problem, 1950), which lies on the frontier. Among packages of equal worth the one that changes the
last offer least is taken. All of it is confidential, and none of it depends on anything but what was written down."""

from __future__ import annotations

from .day import Day
from .missing import Ask, NotEnoughEvidence
from .register import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final, Literal, NamedTuple

    from .partner import Partner
    from .register import Entry

    Option = int | float | str
    Side = Literal["us", "them"]
else:
    from .light import NamedTuple

LEVERS: Final = ("money", "time", "rights", "risk")
SIDES: Final[tuple[Side, Side]] = ("us", "them")
MOST: Final = 20_000  # packages side by side on a frontier that is being put together
_PARTS: Final = (
    4  # into which the way from the least to the most of a figure is cut, where nobody listed options
)
_EQUAL: Final = 1e-9


class Both(NamedTuple):
    """A figure for either side."""

    us: float
    them: float


class Package:
    """An option for each issue. Packages are equal if they offer the same."""

    __slots__ = ("deal", "options")

    def __init__(self, deal: Deal, options: Mapping[str, Option]) -> None:
        self.deal = deal
        self.options = {issue: options[issue] for issue in sorted(options)}

    def __getitem__(self, issue: str) -> Option:
        return self.options[issue]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Package) and self.options == other.options

    def __hash__(self) -> int:
        return hash(tuple(self.options.items()))

    def __str__(self) -> str:
        return ", ".join(f"{issue} {option}" for issue, option in self.options.items())

    def __repr__(self) -> str:
        return f"Package({self})"

    def summary(self, *, against: Package | None = None) -> str:
        """What it offers, or what it changes, and what either side has of it above its alternative."""
        mine = self.deal.surplus(self)
        if against is None:
            return f"{self}: {mine.us:.2f} for us, {mine.them:.2f} for them above the alternative"
        was = self.deal.surplus(against)
        changed = [
            f"{issue} {option} instead of {against.options[issue]}"
            for issue, option in self.options.items()
            if against.options.get(issue, option) != option
        ]
        return (
            f"{', '.join(changed) or 'as it is'}: {mine.us:.2f} instead of {was.us:.2f} for us, "
            f"{mine.them:.2f} instead of {was.them:.2f} for them"
        )


class Offer(Package):
    """A package that was put on the table."""

    __slots__ = ("id", "day", "by", "state")

    def __init__(self, deal: Deal, options: Mapping[str, Option], entry: Entry) -> None:
        super().__init__(deal, options)
        self.id: str = str(entry.id)
        self.day: Day | None = entry.day
        self.by: Side = entry.by
        self.state: str = entry.state or "open"


class Offers:
    """The offers so far, oldest first."""

    __slots__ = ("_offers",)

    def __init__(self, offers: list[Offer]) -> None:
        self._offers = offers

    def __len__(self) -> int:
        return len(self._offers)

    def __iter__(self) -> Iterator[Offer]:
        return iter(self._offers)

    def last(self, back: int = 1) -> Offer:
        """The newest; last(2) is the one before it. Not so many were made: NotEnoughEvidence."""
        if not 0 < back <= len(self._offers):
            had = f"only {len(self._offers)} offers were made" if self._offers else "no offer was made yet"
            raise NotEnoughEvidence(had, Ask("the offers so far, in the register offers", "offers"))
        return self._offers[-back]

    def by(self, side: Side) -> Offers:
        """Those of one side."""
        return Offers([offer for offer in self._offers if offer.by == side])


class Interest:
    """What one side wants in one issue."""

    __slots__ = ("issue", "side", "lever", "swing", "worst", "best", "steps", "listed")

    def __init__(self, entry: Entry) -> None:
        self.issue: str = entry.issue
        self.side: Side = entry.side
        self.lever: str = entry.lever
        self.swing = float(entry.swing)
        self.worst: float | None = entry.worst
        self.best: float | None = entry.best
        self.steps = {str(number_of(name)): float(worth) for name, worth in (entry.steps or {}).items()}
        self.listed = [number_of(o.strip()) for o in str(entry.options or "").split(";") if o.strip()]
        if self.swing < 0 or (
            not self.steps and (self.worst is None or self.best is None or self.worst == self.best)
        ):
            raise _unclear(
                f"what {self.issue} is worth to {self.side} is not clear: it needs worst and best, or steps"
            )

    def value(self, option: Option) -> float:
        """From 0, its worst, to 1, its best."""
        if self.steps:
            found = self.steps.get(str(option))
            if found is None:
                raise _unclear(f"what '{option}' in {self.issue} is worth to {self.side} is not written down")
            return min(1.0, max(0.0, found))
        if isinstance(option, str) or self.worst is None or self.best is None:
            raise _unclear(f"'{option}' in {self.issue} is no figure, and {self.side} has no steps for it")
        return min(1.0, max(0.0, (option - self.worst) / (self.best - self.worst)))


class Alternative(NamedTuple):
    """What a side does without a deal."""

    side: str
    name: str
    utility: float  # times its probability


class Deal:
    """Offers, interests and alternatives of one partner."""

    __slots__ = ("partner", "interests", "offers", "alternatives", "_swings", "_reserve", "_frontier")

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.interests: dict[str, dict[str, Interest]] = {}  # by issue, side
        for entry in partner.register("interests").open():
            self.interests.setdefault(entry.issue, {})[entry.side] = Interest(entry)
        self._check_interests()
        self._swings = {
            side: sum(of[side].swing for of in self.interests.values() if side in of) for side in SIDES
        }
        self.offers = Offers(self._offers())
        self.alternatives = self._alternatives()
        self._reserve = {side: self._best_alternative(side) for side in SIDES}
        self._frontier: list[tuple[Both, Package]] | None = None

    @property
    def issues(self) -> list[str]:
        """What is dealt about."""
        return sorted(self.interests)

    def weight(self, issue: str, side: Side) -> float:
        """What an issue weighs for a side; all its weights add up to 1. What it has no interest in weighs nothing."""
        found = self.interests[issue].get(side)
        return found.swing / self._swings[side] if found else 0.0

    def utility(self, package: Package) -> Both:
        """What a package is worth to either side, from 0 to 1."""
        return Both(
            *(round(sum(self._worth(i, package[i], side) for i in self.issues), 12) for side in SIDES)
        )

    def surplus(self, package: Package) -> Both:
        """What a package is worth to either side above its best alternative: u - d."""
        u = self.utility(package)
        return Both(round(u.us - self._reserve["us"], 12), round(u.them - self._reserve["them"], 12))

    def moved(self, lever: str, before: Package, after: Package) -> Both:
        """By how much a lever (money, time, rights, risk) moved for either side from one package to another."""
        if lever not in LEVERS:
            raise ValueError(f"{lever!r} is no lever; there are {', '.join(LEVERS)}")
        issues = [issue for issue in self.issues if self.lever(issue) == lever]
        us, them = (
            round(sum(self._worth(i, after[i], side) - self._worth(i, before[i], side) for i in issues), 12)
            for side in SIDES
        )
        return Both(us, them)

    def lever(self, issue: str) -> str:
        """Of which kind an issue is."""
        return next(iter(self.interests[issue].values())).lever

    def frontier(self) -> list[Package]:
        """The packages that nobody can improve for one side without taking from the other, best for us first."""
        return [package for _, package in self._packages()]

    def nash(self) -> Package | None:
        """The package with the largest product of surpluses; None: no package is as good as both alternatives."""
        best: tuple[float, float] | None = None
        found = None
        for _, package in self._packages():
            s = self.surplus(package)
            if min(s) < -_EQUAL:
                continue
            us, them = max(s.us, 0.0), max(s.them, 0.0)
            rank = (round(us * them, 12), round(us + them, 12))
            if best is None or rank > best:
                best, found = rank, package
        return found

    def fairness(self, package: Package) -> float:
        """The smaller surplus by the larger: 1 is even, below 0.5 one-sided, 0 or less means one side has nothing."""
        us, them = self.surplus(package)
        return min(us, them) / max(us, them) if max(us, them) > 0 else 0.0

    def logroll(self) -> list[tuple[str, float]]:
        """Issues by how much more they weigh for them than for us, as a difference of weights: first what to give."""
        rows = [(i, round(self.weight(i, "them") - self.weight(i, "us"), 12)) for i in self.issues]
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    # What was written down

    def _check_interests(self) -> None:
        for side in SIDES:
            if not any(side in of for of in self.interests.values()):
                whose = "we" if side == "us" else "they"
                raise _unclear(f"what {whose} want is not written down")
            if not sum(of[side].swing for of in self.interests.values() if side in of):
                raise _unclear(f"no issue weighs anything for {side}")
        for issue, of in self.interests.items():
            if len({interest.lever for interest in of.values()}) > 1:
                raise _unclear(
                    f"{issue} is {' for one side and '.join(sorted({i.lever for i in of.values()}))} for the other"
                )

    def _offers(self) -> list[Offer]:
        """What an offer does not speak of stands as it was offered before."""
        out: list[Offer] = []
        stands: dict[str, Option] = {}
        register = self.partner.register("offers")
        for entry in list(register) if register.is_kept else []:  # else none was made yet
            if entry.state == "withdrawn":
                continue
            package: dict[str, Option] = entry.package or {}
            foreign = sorted(package.keys() - self.interests.keys())
            if foreign:
                raise _unclear(
                    f"the offer of {entry.day} speaks of {', '.join(foreign)}, in which nobody has an interest"
                )
            stands = {**stands, **package}
            lack = sorted(self.interests.keys() - stands.keys())
            if lack:
                raise NotEnoughEvidence(
                    f"the offer of {entry.day} does not speak of {', '.join(lack)}",
                    Ask(f"{', '.join(lack)} in the offer of {entry.day}", "offers"),
                )
            out.append(Offer(self, stands, entry))
        return out

    def _alternatives(self) -> list[Alternative]:
        out = []
        for entry in self.partner.register("alternatives").open():
            if entry.utility is not None:
                worth = float(entry.utility)
            elif entry.package and entry.package.keys() >= self.interests.keys():
                worth = self.utility(Package(self, entry.package))[SIDES.index(entry.side)]
            else:
                raise NotEnoughEvidence(
                    f"what the alternative '{entry.name}' is worth is not written down",
                    Ask(f"utility, or all issues, of the alternative '{entry.name}'", "alternatives"),
                )
            chance = 1.0 if entry.probability is None else float(entry.probability)
            if not (0 <= worth <= 1 and 0 <= chance <= 1):
                raise _unclear(
                    f"utility and probability of the alternative '{entry.name}' must be from 0 to 1"
                )
            out.append(Alternative(entry.side, entry.name, worth * chance))
        return out

    def _best_alternative(self, side: Side) -> float:
        worth = [a.utility for a in self.alternatives if a.side == side]
        if not worth:
            whose = "we" if side == "us" else "they"
            raise NotEnoughEvidence(
                f"what {whose} do without a deal is not written down",
                Ask(f"what {whose} do without a deal, in the register alternatives", "alternatives"),
            )
        return max(worth)

    # Packages

    def _worth(self, issue: str, option: Option, side: Side) -> float:
        found = self.interests[issue].get(side)
        return found.value(option) * self.weight(issue, side) if found else 0.0

    def options(self, issue: str) -> list[Option]:
        """What can be offered: that of the last offer first, then what was listed, offered, or follows from best and
        worst."""
        of = self.interests[issue].values()
        offered = [offer[issue] for offer in reversed(list(self.offers))]
        listed: list[Option] = [option for interest in of for option in interest.listed]
        listed += [number_of(option) for interest in of for option in interest.steps]
        if not listed:
            ends = [end for interest in of for end in (interest.worst, interest.best) if end is not None]
            low, high = min(ends), max(ends)
            between = (low + (high - low) * n / _PARTS for n in range(_PARTS + 1))
            listed = [*ends, *(int(x) if x == int(x) else round(x, 6) for x in between)]
        return list(dict.fromkeys([*offered[:1], *sorted({*listed, *offered[1:]}, key=_order)]))

    def _packages(self) -> list[tuple[Both, Package]]:
        if self._frontier is None:
            stands = self.offers.last() if len(self.offers) else None
            points: list[Point] = [Point(0.0, 0.0, 0, ())]
            for issue in self.issues:
                steps = [
                    Point(
                        self._worth(issue, o, "us"),
                        self._worth(issue, o, "them"),
                        int(stands is not None and stands[issue] != o),
                        (o,),
                    )
                    for o in self.options(issue)
                ]
                points = _undominated([p.plus(step) for p in points for step in steps])
            packages = (Package(self, dict(zip(self.issues, p.options, strict=True))) for p in points)
            self._frontier = [(self.utility(p), p) for p in packages]
        return self._frontier


class Point(NamedTuple):
    """A package that is being put together."""

    us: float
    them: float
    changes: int  # against the last offer
    options: tuple[Option, ...]

    def plus(self, step: Point) -> Point:
        """With one more issue."""
        return Point(
            self.us + step.us,
            self.them + step.them,
            self.changes + step.changes,
            (*self.options, *step.options),
        )


def _undominated(points: list[Point]) -> list[Point]:
    """Those than which none is better for one and as good for the other, best for us first; of equal ones the one that
    changes least."""
    out: list[Point] = []
    most = -1.0
    for point in sorted(points, key=lambda p: (-round(p.us, 9), -round(p.them, 9), p.changes)):
        if point.them > most + _EQUAL:
            out.append(point)
            most = point.them
    if len(out) <= MOST:
        return out
    return [out[n * (len(out) - 1) // (MOST - 1)] for n in range(MOST)]


def _order(option: Option) -> tuple[bool, float, str]:
    return (True, 0.0, option) if isinstance(option, str) else (False, float(option), "")


def _unclear(why: str) -> NotEnoughEvidence:
    return NotEnoughEvidence(why, Ask("the interests of both sides, in the register interests", "interests"))
