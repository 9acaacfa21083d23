// SPDX-License-Identifier: Apache-2.0
// One partner: who it is, what the rules say, its figures beside those of its peers, what is asked for, what people know.
import { at, get, page, word } from "./api.js";
import { bandRail, lineChart } from "./chart.js";
import { empty, h, section, table } from "./dom.js";
import { amount, before, capital, change, count, day, days, daysBetween, isKnown, money, month, plain,
	plural } from "./format.js";
import { findingCard, kinds } from "./parts.js";
import { registers, loadRegisters } from "./registers.js";

let over = false; // findings that are over are shown, too

function head(data) {
	const p = data.partner;
	const tile = (n, kind, key, more) => h("div", { class: `tile ${n ? kind : ""}` }, h("span", { class: "big" }, count(n)),
		h("span", null, n === 1 ? key[0] : key[1]), more && h("small", null, more));
	const brief = `/api/v1/partners/${word(p.partner)}/brief`;
	const open = { target: "_blank", rel: "noopener" };
	return [h("nav", { "aria-label": "Where you are", class: "crumbs" }, h("a", { href: "#/" }, "Portfolio")),
		h("div", { class: "headline" }, h("div", null, h("h1", { tabindex: "-1" }, p.name),
			h("ul", { class: "chips", "aria-label": "Profile" },
				[p.stage && capital(plain(p.stage)), p.industry && plain(p.industry), p.region, p.zone, p.currency,
				p.signed_on && `signed ${day(p.signed_on)}`, p.created && "known from data alone"].filter(Boolean).map((t) => h("li", null, t)))),
		h("p", { class: "links" }, h("a", { class: "button", href: brief, ...open }, "Brief for us"), " ",
			h("a", { class: "button", href: `${brief}?for=partner`, ...open }, "Brief for the partner"))),
		h("div", { class: "tiles still" },
			tile(p.red_flags, "red_flag", ["Red flag", "Red flags"]), tile(p.gates, "gate", ["Gate", "Gates"]),
			tile(p.opportunities, "opportunity", ["Opportunity", "Opportunities"], p.worth > 0 && `worth ${money(p.worth)}`),
			tile(p.insights, "insight", ["Insight", "Insights"]),
			tile(p.unknown + p.failed, "ask", ["Unknown", "Unknown"],
				p.unknown + p.failed ? "judgements lack data" : "all is judged"))];
}

function findings(data, again) {
	const groups = Object.entries(kinds).map(([kind, words]) => [kind, words,
		data.findings.filter((f) => f.kind === kind)]).filter(([, , list]) => list.length);
	const toggle = h("label", { class: "check" }, h("input", { type: "checkbox", "data-key": "over", checked: over,
		onchange: (event) => { over = event.target.checked; again(); } }), " Show what is over as well");
	return section("What the rules say", { class: "said" }, toggle, groups.length ? groups.map(([kind, words, list]) =>
		[h("h3", { class: `group ${kind}` }, words.many, h("span", { class: "soft" }, ` ${count(list.length)}`)),
			h("ul", { class: "findings" }, list.map((f) => findingCard(f, again)))])
		: empty("Nothing to say", "No rule found anything, with the data there is."));
}

const ratios = new Set(["ratio", "distribution"]);

/** Whole weeks of a metric. */
function weeks(data, metric) {
	return (data.series?.rows ?? []).filter((r) => daysBetween(r.from, r.through) === 6)
		.map((r) => ({ from: r.from, through: r.through, figure: r.figures[metric] }));
}

function figure(data, f) {
	const c = f.cohort, band = c && isKnown(c.p50) ? c : null;
	const rows = weeks(data, f.metric);
	const known = rows.filter((r) => isKnown(r.figure?.value));
	const code = f.unit === "money" ? data.series?.metrics.find((m) => m.name === f.metric)?.unit ?? f.currency : f.currency;
	const value = isKnown(f.value) ? h("p", { class: "big" }, amount(f.value, f.unit, f.currency))
		: h("p", { class: "big unknown" }, "Unknown");
	const delta = change(f.value, f.previous, f.unit);
	const tone = !delta || f.better === "neither" || f.value === f.previous ? "" : (f.value > f.previous) === (f.better === "up") ? "good" : "bad";
	const peers = band && `Middle half of ${plural(band.size, "peer")}: ${amount(band.p25, f.unit, f.currency)} to ${amount(band.p75, f.unit, f.currency)}, ` +
		`median ${amount(band.p50, f.unit, f.currency)}`;
	const inChart = band && ratios.has(data.kinds[f.metric]);
	const text = `${f.label} by week${known.length ? `, ${days(known[0].from, known.at(-1).through)}` : ""}. ${peers ? `${peers}.` : ""}`;
	return h("article", { class: "card metric" },
		h("h3", null, f.label), value,
		h("p", { class: "delta" }, isKnown(f.value)
			? [delta ? [h("strong", { class: tone }, delta), h("span", { class: "soft" }, " on the 28 days before")]
				: h("span", { class: "soft" }, f.previous_unknown ? `before: ${f.previous_unknown}` : "nothing to compare with")]
			: h("span", { class: "unknown" }, f.unknown ?? "no data")),
		f.coverage && f.coverage.days < f.coverage.of && isKnown(f.value) &&
			h("p", { class: "warn small" }, `from ${count(f.coverage.days)} of ${plural(f.coverage.of, "day")}`),
		known.length > 1 ? lineChart({ labels: rows.map((r) => month(r.from)),
			values: rows.map((r) => r.figure?.value ?? null), unit: f.unit, currency: code,
			band: inChart ? band : null }, text) : h("div", { class: "plot none" }, h("p", { class: "soft" }, "No weeks to draw yet")),
		band ? [bandRail(f.value, band, `${f.label}: ${amount(f.value, f.unit, f.currency)}. ${peers}`),
			h("p", { class: "small soft" }, peers)]
			: c?.unknown ? h("p", { class: "small soft" }, `Peers: ${c.unknown}`) : null,
		known.length > 1 && h("details", { "data-key": `table-${f.metric}` },
			h("summary", null, "As a table", h("span", { class: "unseen" }, `: ${f.label}`)),
			table(`${f.label} by week`, [{ title: "Week" }, { title: f.label, number: true }],
				rows.toReversed().map((r) => [days(r.from, r.through),
				isKnown(r.figure?.value) ? amount(r.figure.value, f.unit, code) : h("span", { class: "unknown" },
					"unknown")]))));
}

function figures(data) {
	const b = data.brief;
	if (!b) {
		return null;
	}
	return section("Figures", { class: "figures" }, h("p", { class: "lead" },
		`${days(b.window.start, before(b.window.end))}, beside the partners of its industry; ` +
		"lines show whole weeks."),
	b.figures.some((f) => f.cohort && isKnown(f.cohort.p50)) && h("ul", { class: "legend" },
		h("li", null, h("i", { class: "l-line" }), "the partner"),
		h("li", null, h("i", { class: "l-middle" }), "middle half of its peers"), h("li", null, h("i", { class: "l-median" }),
			"their median")),
	b.figures.length ? h("div", { class: "metrics" }, b.figures.map((f) => figure(data, f))) : empty("No figures yet",
		"They come with the first data."));
}

/** Reasons that say the same of several days are said once. */
const once = (why) => [...new Set(why.split("; "))];
function asks(data) {
	const list = data.brief?.asks ?? [];
	return section("Asks", { class: "sought" }, list.length ? [h("p", { class: "lead" },
		"What is missing, and what could be said with it."), h("ul", { class: "asks" }, list.map((a) => {
		const why = once(a.why);
		return h("li", null, h("strong", null, capital(a.what)),
			h("p", null, a.decides.length ? `Decides: ${a.decides.map(plain).join(", ")}` : "",
				a.source && [". From ", h("a", { href: at.source(a.source) }, a.source)]),
			why.length > 2 ? h("details", { "data-key": `ask-${a.what}` },
				h("summary", null, `Why, ${plural(why.length, "reason")}`), h("ul", null, why.map((w) => h("li", null, w))))
				: h("p", { class: "soft" }, capital(why.join("; "))));
	}))] : h("p", { class: "soft" }, "Nothing is missing: every rule could judge."));
}

function comesFrom(data) {
	const list = data.brief?.sources ?? [];
	return section("Data", { class: "data" }, list.length ? table("Sources of this partner",
		[{ title: "Source" }, { title: "Records", number: true }, { title: "Speaks for" }, { title: "Balance" }],
		list.map((s) => [h("a", { href: at.source(s.name) }, s.name),
			isKnown(s.records) ? count(s.records) : h("span", { class: "unknown" }, "unknown"),
			s.covered.length ? s.covered.map((w) => h("span", { class: "line" }, days(w.start, before(w.end)))) : h("span",
				{ class: "unknown" }, "no days yet"),
			s.balanced === false ? h("span", { class: "bad" }, "does not close") : s.balanced ? "closes" : "unknown"]))
		: h("p", { class: "soft" }, "No source brings data of it yet."));
}

export const partnerView = {
	title: (data) => data.partner.name,
	async load(place) {
		const id = word(place.id);
		const partner = await get(`partners/${id}`);
		const [found, brief, metrics, journals] = await Promise.all([
			page(`findings?partner=${id}&limit=1000${over ? "&all=true" : ""}`), get(`partners/${id}/brief`), get("metrics"), loadRegisters(place.id)]);
		const names = brief.figures.map((f) => f.metric).filter((name) => metrics.some((m) => m.name === name));
		const series = names.length && Object.keys(partner.data).length
			? await get(`series?by=week&window=26w&partner=${id}${names.map((n) => `&metric=${word(n)}`).join("")}`).catch(() => null) : null;
		return { partner, findings: found.rows, brief, series,
			kinds: Object.fromEntries(metrics.map((m) => [m.name, m.kind])), journals };
	},
	wants: (name, data, shown) => name !== "source" && (name !== "finding" || data.partner === shown.data.partner.partner),
	draw: (data, place, again) => [head(data),
		h("div", { class: "columns" },
			h("div", null, findings(data, again)),
			h("div", null, asks(data), registers(data.partner, data.journals, again))),
		figures(data), comesFrom(data)],
};
