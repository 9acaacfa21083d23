// SPDX-License-Identifier: Apache-2.0
// How figures, days and words are written. The page speaks English, so numbers are written as English writes them, in the
// reader's own variety; what is not known is said to be unknown, and is never 0.
const locale = navigator.languages.find((l) => l.startsWith("en")) ?? "en-GB";

const made = new Map();
function formatter(kind, options) {
	const key = kind.name + JSON.stringify(options);
	if (!made.has(key)) {
		made.set(key, new kind(locale, options));
	}
	return made.get(key);
}
const number = (value, options) => formatter(Intl.NumberFormat, options).format(value);

let reporting = null;
/** The currency that figures are compared in. */
export const currency = () => reporting;
export const setCurrency = (code) => { reporting = code; };

export const isKnown = (value) => value !== null && value !== undefined && Number.isFinite(value);

export function money(value, code = reporting, compact = false) {
	const digits = compact ? { notation: "compact", maximumFractionDigits: 1 }
		: { maximumFractionDigits: Math.abs(value) < 1000 ? 2 : 0, minimumFractionDigits: Math.abs(value) < 1000 ? 2 : 0 };
	try {
		return number(value, { style: "currency", currency: code, currencyDisplay: "narrowSymbol", ...digits });
	} catch {
		return number(value, digits) + (code ? ` ${code}` : "");
	}
}

export const count = (value) => number(value, { maximumFractionDigits: Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1 });

export function percent(value) {
	const size = Math.abs(value);
	return number(value, { style: "percent", maximumFractionDigits: size >= 0.1 ? 1 : 2 });
}

/** A figure in its unit: money (or a currency's code), ratio, count, seconds, days. */
export function amount(value, unit, code) {
	if (!isKnown(value)) {
		return "unknown";
	}
	switch (unit) {
	case "money": return money(value, code ?? reporting);
	case "ratio": return percent(value);
	case "seconds": return number(value, { style: "unit", unit: "second",
		maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 });
	case "days": return number(value, { style: "unit", unit: "day", unitDisplay: "long", maximumFractionDigits: 0 });
	default: return /^[A-Z]{3}$/.test(unit ?? "") ? money(value, unit) : count(value);
	}
}

/** The same, short, for an axis. */
export function short(value, unit, code) {
	if (unit === "ratio") {
		return number(value, { style: "percent", maximumFractionDigits: Math.abs(value) < 0.05 ? 1 : 0 });
	}
	const text = number(value, { notation: "compact", maximumFractionDigits: 1 });
	return unit === "money" && code ? money(value, code, true) : unit === "seconds" ? `${text} s` : text;
}

/** How a figure changed, with its sign; null where that means nothing. */
export function change(now, before, unit) {
	if (!isKnown(now) || !isKnown(before)) {
		return null;
	}
	if (unit === "ratio") {
		return `${number((now - before) * 100, { signDisplay: "exceptZero", maximumFractionDigits: 2 })} pp`;
	}
	return before > 0
		? number(now / before - 1, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 1 }) : null;
}

const date = (text) => new Date(`${text}T00:00:00Z`);
export const day = (text) => text
	? formatter(Intl.DateTimeFormat, { day: "numeric", month: "short", year: "numeric",
		timeZone: "UTC" }).format(date(text)) : "unknown";
export const days = (from, through) => {
	const whole = formatter(Intl.DateTimeFormat, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
	return from === through ? whole.format(date(from)) : whole.formatRange(date(from), date(through));
};
export const month = (text) => formatter(Intl.DateTimeFormat,
	{ month: "short", year: "2-digit", timeZone: "UTC" }).format(date(text));
export const daysBetween = (from, to) => Math.round((date(to) - date(from)) / 86400000);
export const before = (text) => new Date(date(text) - 86400000).toISOString().slice(0, 10);

/** An instant, on the reader's clock. */
export const instant = (text) => text
	? formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text)) : "never";

/** How long ago, or in how long. */
export function ago(text) {
	if (!text) {
		return "never";
	}
	const seconds = (new Date(text) - Date.now()) / 1000;
	const relative = formatter(Intl.RelativeTimeFormat, { numeric: "auto" });
	for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
		if (Math.abs(seconds) >= size) {
			return relative.format(Math.round(seconds / size), unit);
		}
	}
	return "just now";
}

export function bytes(n) {
	for (const [unit, size] of [["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3]]) {
		if (n >= size) {
			return number(n / size, { style: "unit", unit, maximumFractionDigits: 1 });
		}
	}
	return number(n, { style: "unit", unit: "byte" });
}

export function duration(seconds) {
	for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]) {
		if (seconds >= size) {
			return number(seconds / size, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 });
		}
	}
	return number(seconds * 1000, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });
}

/** "28d" as "28 days". */
export function span(text) {
	const match = /^(\d+)([dwmy])$/.exec(text ?? "");
	return match ? `${match[1]} ${{ d: "day", w: "week", m: "month", y: "year" }[match[2]]}${match[1] === "1" ? "" : "s"}` : text;
}

/** "1 red flag", "2 red flags", "2 opportunities". */
export function plural(n, word) {
	const many = word.endsWith("ty") ? `${word.slice(0, -1)}ies` : `${word}s`;
	return `${count(n)} ${n === 1 ? word : many}`;
}

/** A name of the configuration as one says it. */
export const plain = (word) => (word ?? "").replace(/[-_.]/g, " ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
