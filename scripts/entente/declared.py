# SPDX-License-Identifier: Apache-2.0
"""What a partner declared of itself, as figures: partner.declared("books").

Altman's Z' is of the model for private firms, with the book value of equity in place of its market value: E. I. Altman,
Corporate Financial Distress (Wiley 1983), quoted in his "Predicting Financial Distress of Companies" (2000): Z' = 0.717 X1
+ 0.847 X2 + 3.107 X3 + 0.420 X4 + 0.998 X5. Above 2.9 a firm is safe, below 1.23 in distress, between these it is grey."""

from __future__ import annotations

from .day import Day
from .missing import Ask, NotEnoughEvidence
from .quantity import Quantity
from .terms import converted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal

    from .partner import Partner
    from .register import Entry

SAFE: Final = 2.9
DISTRESS: Final = 1.23


class AltmanZ(float):
    """Altman's Z' of one year: a number that says what it means."""

    __slots__ = ()

    @property
    def zone(self) -> Literal["safe", "grey", "distress"]:
        """Where the model puts the firm."""
        return "safe" if self > SAFE else "distress" if self < DISTRESS else "grey"


class Declared:
    """The newest figures that the partner gave of itself. Fields read as attributes; those of books are money."""

    __slots__ = ("partner", "register", "entry")

    def __init__(self, partner: Partner, register: str, entry: Entry) -> None:
        self.partner, self.register, self.entry = partner, register, entry

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.entry, name)
        if value is None:
            raise self._missing([name], f"{name} of the {self.register}{self._of}")
        if self.register == "books" and isinstance(value, (int, float)) and name != "year":
            return self._money(value)
        return value

    def altman_z(self) -> AltmanZ:
        """Z' for private firms. Fields that are not given: NotEnoughEvidence names them."""
        if self.register != "books":
            raise TypeError(f"Altman's Z' is of books, and these are {self.register}")
        e = self.entry
        wanted = (
            "assets",
            "liabilities",
            "current_assets",
            "current_liabilities",
            "retained_earnings",
            "profit",
            "revenue",
        )
        lack = [name for name in wanted if getattr(e, name) is None]
        lack += [name for name in ("assets", "liabilities") if name not in lack and getattr(e, name) <= 0]
        if lack:
            raise self._missing(lack, f"Altman's Z'{self._of}")
        equity = e.assets - e.liabilities if e.equity is None else e.equity
        return AltmanZ(
            0.717 * (e.current_assets - e.current_liabilities) / e.assets
            + 0.847 * e.retained_earnings / e.assets
            + 3.107 * e.profit / e.assets
            + 0.420 * equity / e.liabilities
            + 0.998 * e.revenue / e.assets
        )

    @property
    def _of(self) -> str:
        year = self.entry.year if self.register == "books" else None
        return f" of {year}" if year else ""

    def _missing(self, fields: list[str], what: str) -> NotEnoughEvidence:
        names = ", ".join(name.replace("_", " ") for name in fields)
        return NotEnoughEvidence(
            f"{what} is not known: {names} {'is' if len(fields) == 1 else 'are'} missing",
            Ask(f"{names} in the {self.register}{self._of}", self.register),
        )

    def _money(self, number: float) -> Quantity:
        last = Day(int(self.entry.year), 12, 31).number
        return converted(self.partner, number, self.entry.currency, min(last, self.partner.view.as_of))


def declared_of(partner: Partner, register: str) -> Declared:
    """The newest entry that was not withdrawn: of books, that of the latest year."""
    entries = list(partner.register(register).open())
    if not entries:
        raise NotEnoughEvidence(
            f"they declared nothing in {register}", Ask(f"{register} in the register of that name", register)
        )
    newest = max(enumerate(entries), key=lambda row: (getattr(row[1], "year", 0) or 0, row[0]))
    return Declared(partner, register, newest[1])
