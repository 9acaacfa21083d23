/* SPDX-License-Identifier: Apache-2.0
 *
 * What the module _entente holds: constants, classes, functions, in the order of its stub. Whoever adds a name to the module adds
 * a row here and builds the target `stub`; a test compares all three. */
#include "rules/signatures.h"

#include <stddef.h>

/* clang-format off */
const ent__signature ent__signatures[] = {
	{"SUM", NULL, NULL},
	{"RATIO", NULL, NULL},
	{"DISTINCT", NULL, NULL},
	{"DISTRIBUTION", NULL, NULL},
	{"KNOWN", NULL, NULL},
	{"NO_COVERAGE", NULL, "no source speaks for the window, or for too few of its days"},
	{"NO_RATE", NULL, "a day's exchange rate is missing; `day` names it"},
	{"NO_DENOMINATOR", NULL, "a ratio over nothing"},
	{"Series", NULL, "Values of one metric, one int64 a day, in the memory of the snapshot: numpy.asarray(series) copies "
		"nothing.\n"
		"Exports the buffer protocol (format 'q', read-only), the Arrow C data interface, and __array__ for "
		"pandas."},
	{"Series.day0", "int", NULL},
	{"Series.scale", "int", "values are in 1/scale of the unit"},
	{"Series.unit", "str", NULL},
	{"Series.__len__", "(self) -> int", NULL},
	{"Series.__getitem__", "(self, index: int) -> int", NULL},
	{"Series.__iter__", "(self) -> Iterator[int]", NULL},
	{"Series.moment", "(self) -> int", "The sum of the values, each times twice its distance in days from the middle: what slopes are made of."},
	{"Series.__array__", "(self, dtype: Any=None, copy: bool | None=None) -> Any", NULL},
	{"Series.__arrow_c_schema__", "(self) -> object", NULL},
	{"Series.__arrow_c_array__", "(self, requested_schema: object | None=None) -> tuple[object, object]", NULL},
	{"Series.__arrow_c_stream__", "(self, requested_schema: object | None=None) -> object", NULL},
	{"Column", NULL, "One column of facts, through the buffer protocol alone: int64, int32 or uint32, read-only."},
	{"Facts", NULL, "Single facts of one partner, in columns, in order of time."},
	{"Facts.ever", "int", "facts of that kind on whatever day"},
	{"Facts.__len__", "(self) -> int", NULL},
	{"Facts.columns", "(self) -> list[tuple[str, str]]", "(name, what it holds): moment, day, text, flag, money, or the unit of a number. "
		"Moments in microseconds since 1970, money\nin millionths of the reporting currency; -2**63 where there is none, or no "
		"exchange rate."},
	{"Facts.column", "(self, name: str) -> Column", NULL},
	{"Facts.texts", "(self) -> list[str]", "What the numbers of columns of texts stand for; the first is the one that is not there."},
	{"Snapshot", NULL, NULL},
	{"Snapshot.as_of", "int", "last day that windows include"},
	{"Snapshot.currency", "str", NULL},
	{"Snapshot.generation", "int", NULL},
	{"Snapshot.at", "(self, day: int) -> Snapshot", "The same as of an earlier day. ValueError for a later one."},
	{"Snapshot.day_of", "(self, partner: int) -> int", "The day as of which the partner is judged: as_of, or an earlier day if its zone has not come so far."},
	{"Snapshot.days_differ", "(self) -> bool", "Whether that is another one than as_of for any partner."},
	{"Snapshot.partners", "(self) -> list[str]", NULL},
	{"Snapshot.partner_json", "(self, partner: int) -> str", NULL},
	{"Snapshot.meta_json", "(self) -> str", NULL},
	{"Snapshot.metrics", "(self) -> list[tuple[str, int, str, str, str, str, str]]", "(name, kind, unit, additivity, tags, doc, definition hash) of the catalogue, in order of its numbers."},
	{"Snapshot.window", "(self, partner: int, metric: int, start: int, stop: int, origin: int=-1, view: int=0, value: str='', "
		"coverage: float=0.8) -> tuple[int, int, int, int, int, int]", "(state, top, bottom, covered days, declared days, day): the metric over [start, stop). SUM and DISTINCT: "
		"top, bottom 1.\n"
		"RATIO: top / bottom, exact integers, in 1/scale of the metric's unit (money, seconds: 1000000, pieces: "
		"1000, else 1).\n"
		"DISTRIBUTION: top is the median, bottom 1. origin -1: by the catalogue's precedence. `coverage`: with a "
		"smaller part\n"
		"of the days covered the state is NO_COVERAGE, and top and bottom are what is there; 0: never. Days after "
		"as_of are\n"
		"not read. OverflowError where a sum cannot be held, IndexError where partner, metric, view or origin do "
		"not exist."},
	{"Snapshot.quantile", "(self, partner: int, metric: int, start: int, stop: int, q: float, origin: int=-1, coverage: float=0.8) "
		"-> tuple[int, int]", "(state, value) of a DISTRIBUTION."},
	{"Snapshot.values", "(self, partner: int, metric: int, view: int, start: int, stop: int, origin: int=-1) -> list[str]", "Values of a view that have data of the metric in the window, sorted."},
	{"Snapshot.origins", "(self, partner: int, metric: int) -> list[int]", "Origins that have data or coverage for the metric."},
	{"Snapshot.series", "(self, partner: int, metric: int, start: int, stop: int, origin: int=-1, view: int=0, value: str='') -> "
		"Series", "A SUM metric by day. Without a copy if it is one measure in the reporting currency, else a new array. "
		"ValueError for\nother kinds, and naming the day if a rate is missing."},
	{"Snapshot.covers", "(self, partner: int, metric: int, origin: int=-1) -> list[tuple[int, int, bool, str]]", "(from, to, declared, source) of the metric's coverage."},
	{"Snapshot.rate", "(self, currency: str, day: int) -> int", "What one unit of `currency` was worth on the day, in 1e-12 of the reporting currency; 0: not known."},
	{"Snapshot.facts", "(self, partner: int, kind: int, start: int, stop: int) -> Facts", "The facts of a kind (ent_fact) and some "
		"days, which the core is asked for. RuntimeError says why it does not give them."},
	{"Snapshot.cut", "(self, partner: int, metric: int, view: int, start: int, stop: int, origin: int) -> tuple[Snapshot, int]",
		"The metric's facts by a view that no cell keeps: a snapshot of this partner alone, whose generation is how many documents were\n"
		"read, and the families of the metric as bits. ValueError where they have no such view."},
	{"Snapshot.integrity", "(self, partner: int, checks: int, start: int, stop: int) -> str", "What tests of the partner's orders found, as JSON; `checks` has a bit for each of integrity.CHECKS."},
	{"Snapshot.cohort", "(self, partners: bytes, metric: int, start: int, stop: int, origin: int=-1, coverage: float=0.8) -> "
		"list[tuple[int, int, int]]", "(state, top, bottom) for each partner index of `partners` (packed uint32), in that order."},
	{"Values", NULL, "One double for each partner, and which of them are known: buffer protocol (format 'd', read-only), the "
		"Arrow C data\ninterface with a validity bitmap, and __array__ for pandas."},
	{"Values.__new__", "(cls, data: Any, known: bytes) -> Values", NULL},
	{"Values.__array__", "(self, dtype: Any=None, copy: bool | None=None) -> Any", NULL},
	{"Values.__arrow_c_schema__", "(self) -> object", NULL},
	{"Values.__arrow_c_array__", "(self, requested_schema: object | None=None) -> tuple[object, object]", NULL},
	{"Values.__arrow_c_stream__", "(self, requested_schema: object | None=None) -> object", NULL},
	{"Rows", NULL, "Days by partners, as an Arrow table: a column `day` and one for each name, which points to the int64 of "
		"its series."},
	{"Rows.__new__", "(cls, day0: int, days: int, names: list[str], series: list[Any], known: list[bytes]) -> Rows", NULL},
	{"Rows.__arrow_c_schema__", "(self) -> object", NULL},
	{"Rows.__arrow_c_array__", "(self, requested_schema: object | None=None) -> tuple[object, object]", NULL},
	{"Rows.__arrow_c_stream__", "(self, requested_schema: object | None=None) -> object", NULL},
	{"printed", "() -> str", "What scripts wrote to sys.stdout and sys.stderr since the last rule started, or since the last call; at "
		"most 16 KiB."},
	{"loads", "(path: str) -> None", "Which file of a book is loaded from now on: it has a deadline of its own, and is named if it ends the "
		"worker."},
	{"tidy", "() -> bool", "Put back what a rule or file left behind: tracers, limits, streams, modules; wait for its threads. "
		"False: modules were\nmissing."},
	{"release", "(error: BaseException) -> None", "Let go of what the frames of an exception hold, for there was no memory left."},
	{"exact_pairs", "dict[float, tuple[int, int]]", "floats as they were written, see quantity.py"},
	{"Figure", NULL, "A number with its unit, exact: top / bottom in 1/scale of the unit. What is not simple is handed to "
		"_sum, _product, _quotient,\n_divided and _against of entente.quantity."},
	{"Figure.__new__", "(cls, top: int, bottom: int, unit: Any, coverage: float = 1.0, grade: float = 1.0) -> Any", NULL},
	{"Figure.top", "int", "in 1/scale of the unit"},
	{"Figure.bottom", "int", "more than 0"},
	{"Figure.unit", "Any", "a Unit of entente.quantity"},
	{"Figure.coverage", "float", "share of the days that sources speak for"},
	{"Figure.grade", "float", "how well it is known: 1 was measured, less was told"},
	{"Figure.number", "float", "in whole units: euros, seconds, pieces"},
	{"Figure.__add__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__radd__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__sub__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__rsub__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__mul__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__rmul__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__truediv__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__rtruediv__", "(self, other: Any, /) -> Any", NULL},
	{"Figure.__neg__", "(self) -> Any", NULL},
	{"Figure.__lt__", "(self, other: Any, /) -> bool", NULL},
	{"Figure.__le__", "(self, other: Any, /) -> bool", NULL},
	{"Figure.__gt__", "(self, other: Any, /) -> bool", NULL},
	{"Figure.__ge__", "(self, other: Any, /) -> bool", NULL},
	{"Figure.__eq__", "(self, other: object, /) -> bool", NULL},
	{"Figure.__ne__", "(self, other: object, /) -> bool", NULL},
	{"Figure.__hash__", "(self) -> int", NULL},
	{"Figure.__bool__", "(self) -> bool", NULL},
	{"Look", NULL, "One metric of one partner. What is not simple is handed to _slow, _reported and _missing of "
		"entente.measure."},
	{"Look.__new__", "(cls, partner: Any, metric: Any, origin: int = -1, view: int = 0, values: Any = None) -> Any", NULL},
	{"Look.partner", "Any", NULL},
	{"Look.metric", "Any", "a Metric of entente.view"},
	{"Look._origin", "int", NULL},
	{"Look._view", "int", NULL},
	{"Look._values", "Any", "tuple[str, ...] | None"},
	{"Look.over", "(self, window: Any, least_coverage: float = 0.8) -> Any", "Its value over the days of the window. Not enough of them known: NotEnoughEvidence."},
	{"Run", NULL, "The record of the rule at work."},
	{"Run.reads", "Any", "what it read: a list of Read, made when somebody looks"},
	{"Run.asks", "list[Any]", "what would decide"},
	{"Run.missed", "list[str]", "why something was not known"},
	{"Run.held", "list[str]", "what it read that the partner may not know of"},
	{"Run.pair", "int", "numbers of partner and rule in one"},
	{"Run.reset", "(self) -> None", "Before each rule."},
	{"Seat", NULL, "A partner of a snapshot."},
	{"Seat.__new__", "(cls, view: Any, index: int) -> Any", NULL},
	{"Seat.view", "Any", "a View"},
	{"Seat.index", "int", NULL},
	{"Seat.id", "str", NULL},
	{"Seat.said", "dict[str, Any]", "by rule, of the rules that ran before"},
	{"Seat._measures", "dict[Any, Any]", NULL},
	{"Seat._origins", "dict[int, list[int]]", NULL},
	{"Seat._cohorts", "dict[Any, Any]", NULL},
	{"Seat.__getitem__", "(self, metric: str, /) -> Any", NULL},
	{"Depend", NULL, "Which metrics each rule read of each partner: what runs again when these change."},
	{"Depend.__new__", "(cls, rules: int, partners: int) -> Depend", NULL},
	{"Depend.note", "(self, rule: int, partner: int, reads: Any, /) -> None", "What it read just now. What it read of cohorts is kept with the cohort's figures."},
	{"Depend.affected", "(self, partner: int, metrics: list[int] | None, /) -> list[int]", "Rules that read one of the metrics of that partner; None: all that have run."},
	{"bind", "(quantity: type, read: type, measure: type, now: Run, origins: tuple[str, ...], units: tuple[object, "
		"...], /) -> None", "What over() makes, and where it puts it."},
	{"evidence", "(reads: Any, written: Callable[[Any], str], before: tuple[bytes, ...], after: tuple[bytes, ...], /) -> "
		"bytes", "Reads as JSON between commas, the parts of `before` in front of them, those of `after` behind; "
		"written(read) writes what is not\nsimple."},
	{"places", "(snapshot: Any, who: bytes, metric: int, start: int, stop: int, origin: int, /) -> "
		"tuple[list[tuple[float, int, int]], bytes] | None", "(number, top, bottom) of those of a cohort that are known, in order, and who they are (packed uint32)."},
	{"exchanged", "(ordered: list[tuple[float, int, int]], was: list[tuple[int, int]], now: list[tuple[int, int]], /) -> "
		"list[tuple[float, int, int]] | None", "Places without those that were and with those that are now."},
	{"weighed", "(ordered: list[tuple[float, int, int]], column: int, /) -> tuple[int, int, int] | None", "What the places have in a column, without signs: (total, largest, second)."},
	{"judge", "(partner: Any, index: int, quoted: bytes, said: dict[str, Any], rules: list[tuple[Any, ...]], writing: "
		"tuple[Any, ...], emit: Callable[[bytes], None], start: Callable[[int, int], None], depend: Depend | "
		"None, /) -> None", "Run rules for one partner, and send their records. See entente.plain, which says the same in Python."},
	{NULL, NULL, NULL}};
/* clang-format on */
