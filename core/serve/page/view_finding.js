// SPDX-License-Identifier: Apache-2.0
// One finding: what it says, what it rests on, what people made of it.
import { at, get, word } from "./api.js";
import { bandRail } from "./chart.js";
import { empty, h, section, table } from "./dom.js";
import { amount, capital, count, days, isKnown, plain, plural, span } from "./format.js";
import { arrived } from "./news.js";
import { lifeButtons, metaOf, worthOf } from "./parts.js";

/** Of what the measures of a family are counted. */
const kindOf = { sales: "order", traffic: "visit", carts: "cart" };

/** So many figures are shown at once. */
const shown = 12;

const stateWords = { known: null, partial: "not all days have data", no_coverage: "no data",
	no_rate: "an exchange rate is missing" };

function figureOf(e) {
	return isKnown(e.number) ? amount(e.number, e.unit) : h("span", { class: "unknown" },
		capital(e.value && e.value !== "unknown" ? e.value : "unknown"));
}

/** How the days of a figure are covered. */
function coverage(e) {
	const state = e.state in stateWords ? stateWords[e.state] : plain(e.state);
	const days = e.covered === null ? null : e.covered === e.days ? `all ${plural(e.days, "day")}` : `${count(e.covered)} of ${plural(e.days, "day")}`;
	return [days, state].filter(Boolean).join("; ") || "–";
}

const whose = (e) => e.cohort ? [plain(e.cohort), e.size ? plural(e.size, "peer") : null].filter(Boolean).join(", ")
	: [e.origin ? plain(e.origin) : null, e.slice ? plain(e.slice) : null].filter(Boolean).join(", ") || "the partner";

/** The records that a figure of the partner itself was counted from. */
function recordsLink(data, e) {
	const kind = data.families[e.metric];
	if (!kind || e.cohort || !e.from || !isKnown(e.number)) {
		return h("span", { class: "soft" }, "–");
	}
	return h("a", { href: at.records(data.finding.partner, kind, e.from, e.through),
		"aria-label": `Records of ${plain(e.metric)}, ${days(e.from, e.through)}` }, "Records");
}

function evidence(data) {
	const labels = data.labels;
	const rows = data.finding.evidence.map((e, n) => [
		labels[n] ?? capital(plain(e.metric)), figureOf(e), e.from ? days(e.from,
			e.through) : "–", whose(e), coverage(e), recordsLink(data, e)]);
	const heads = [{ title: "Figure" }, { title: "Value", number: true, class: "strong" }, { title: "Days" },
		{ title: "Whose" }, { title: "Covered" }, { title: "Comes from" }];
	const first = rows.length > shown + 3 ? rows.slice(0, shown) : rows, rest = rows.slice(first.length);
	return section("Evidence", { "data-part": "evidence" }, rows.length
		? [h("p", { class: "lead" }, "Every figure that the rule read, in its order. What is not known counts neither for nor against the partner."),
			table("Evidence", heads, first),
			rest.length > 0 && h("details", { class: "rest", "data-key": "rest" },
				h("summary", null, `${plural(rest.length, "more figure")}`), table("More evidence", heads, rest))]
		: empty("No figures", "What it says comes from how the data arrives, not from figures."));
}

function chart(finding) {
	const [kind, values] = finding.finding?.chart ?? [];
	if (kind !== "band" || !values || !isKnown(values.median)) {
		return null;
	}
	const unit = finding.evidence[0]?.unit;
	const band = { p25: values.p25, p50: values.median, p75: values.p75 };
	const text = `Here ${amount(values.here, unit)}; the middle half of the peers lies between ${amount(band.p25, unit)} and ` +
		`${amount(band.p75, unit)}, the median is ${amount(band.p50, unit)}.`;
	return h("figure", { class: "card band" }, bandRail(values.here, band, text), h("figcaption", null, text));
}

function tableOf(finding) {
	const rows = finding.finding?.rows;
	if (!rows?.length) {
		return null;
	}
	const [heads, ...rest] = rows;
	const number = (n) => rest.every((r) => /^[-−\d.,%\s]*( [A-Z]{3})?$/.test(String(r[n] ?? "")));
	return section("In detail", null, table("What it rests on",
		heads.map((title, n) => ({ title: capital(String(title)), number: number(n), plain: n > 0 })),
		rest.map((r) => r.map((c) => (c === null ? h("span", { class: "unknown" },
			"unknown") : typeof c === "number" ? count(c) : String(c))))));
}

const textOf = (x) => typeof x === "string" ? x : x.what ?? x.text ?? Object.values(x).filter((v) => typeof v === "string").join(", ");

function list(title, lead, items) {
	return items.length ? section(title, null, h("p", { class: "lead" }, lead),
		h("ul", { class: "asks" }, items.map((x) => h("li", null, textOf(x))))) : null;
}

function life(finding) {
	return section("What was made of it", null, finding.changes.length
		? h("ol", { class: "life" }, finding.changes.map((c) => h("li", null,
			h("strong", null, capital(c.state)), ` by ${c.actor ?? "the service"}, `, h("time", { datetime: c.at }, c.at),
			c.until && ` · until ${c.until}`, c.reason && h("p", null, `“${c.reason}”`))))
		: h("p", { class: "soft" }, "Nothing yet."));
}

export const findingView = {
	title: (data) => data.finding.text.slice(0, 80),
	async load(place) {
		const finding = await get(`findings/${word(place.id)}`);
		const [metrics, partner, brief] = await Promise.all([get("metrics"),
			get(`partners/${word(finding.partner)}`).catch(() => null), get(`partners/${word(finding.partner)}/brief`).catch(() => null)]);
		const told = brief?.findings.find((f) => f.rule === finding.rule && (f.key || null) === (finding.key || null));
		const fits = told && told.evidence.length === finding.evidence.length;
		const family = (m) => kindOf[(m.top ?? m.bottom ?? [])[0]?.family] ?? null;
		return { finding, families: Object.fromEntries(metrics.map((m) => [m.name, family(m)])),
			name: partner?.name ?? finding.partner, labels: fits ? told.evidence.map((e) => e.label) : [],
			sources: (brief?.sources ?? []).map((s) => s.name) };
	},
	wants: (name, data, shown) => name !== "source" && (name !== "finding" || data.id === shown.data.finding.id),
	draw(data, place, again) {
		const f = data.finding;
		arrived.delete(f.id);
		return [h("nav", { "aria-label": "Where you are", class: "crumbs" }, h("a", { href: "#/" }, "Portfolio"), " / ",
			h("a", { href: at.partner(f.partner) }, data.name)),
		h("article", { class: `one ${f.kind}` }, metaOf(f, false), h("h1", { tabindex: "-1", class: "say" }, f.text),
			worthOf(f, f.finding?.per), lifeButtons(f, again)),
		h("div", { class: "columns" },
			h("div", null, chart(f), tableOf(f), evidence(data)),
			h("div", null, list("What it missed", "With this, it could say more.", f.missed),
				list("What would decide it", "Ask for this.", f.asks), life(f),
				section("Comes from", null, h("dl", { class: "facts" },
					h("div", null, h("dt", null, "Rule"), h("dd", null, h("a", { href: at.rule(f.rule) }, plain(f.rule)))),
					h("div", null, h("dt", null, "Practice"), h("dd", null, plain(f.practice) || "–")),
					f.finding?.per && h("div", null, h("dt", null, "Worth over"), h("dd", null, span(f.finding.per))),
					isKnown(f.finding?.confidence) && h("div", null, h("dt", null, "Confidence"),
						h("dd", null, amount(f.finding.confidence, "ratio"))),
					h("div", null, h("dt", null, "Id"), h("dd", null, h("code", null, f.id))),
					data.sources.length && h("div", null, h("dt", null, "Sources"),
						h("dd", null, data.sources.map((s, n) => [n ? ", " : "",
						h("a", { href: at.source(s) }, s)]))))))),
		];
	},
};
