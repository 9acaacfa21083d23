// SPDX-License-Identifier: Apache-2.0
// All partners, with what the rules say of them: searched, filtered, sorted.
import { at, page } from "./api.js";
import { badge, empty, fresh, h, redraw } from "./dom.js";
import { capital, count, currency, day, daysBetween, money, plain, plural } from "./format.js";
import { arrived } from "./news.js";
import { kinds } from "./parts.js";

const most = 10000, step = 100;

/** What is searched, filtered and sorted by; kept while the page is open. */
const wish = { q: "", stage: "", industry: "", kind: "", practice: "", sort: "matters", down: false, rows: step };

const through = (p) => Object.values(p.data).map((d) => d.through).sort().at(-1) ?? null;

const columns = [
	{ key: "name", title: "Partner", by: (p) => p.name.toLowerCase() },
	{ key: "stage", title: "Stage", by: (p) => p.stage ?? "~" },
	{ key: "red_flags", title: "Red flags", number: true, by: (p) => -p.red_flags },
	{ key: "gates", title: "Gates", number: true, by: (p) => -p.gates },
	{ key: "opportunities", title: "Opportunities", number: true, by: (p) => -p.worth },
	{ key: "insights", title: "Insights", number: true, by: (p) => -p.insights },
	{ key: "unknown", title: "Unknown", number: true, by: (p) => -(p.unknown + p.failed) },
	{ key: "through", title: "Data until", by: (p) => through(p) ?? "" },
	{ key: "matters", title: "Look at first", by: (p) => [p.red_flags, p.gates, p.worth,
		p.insights].map((n) => String(1e15 - Math.round(n)).padStart(16, "0")).join() },
];

function rowsOf(data) {
	const words = wish.q.toLowerCase().split(/\s+/).filter(Boolean);
	const rows = data.partners.filter((p) => {
		const mine = data.findings.get(p.partner) ?? [];
		const text = [p.partner, p.name, p.industry, p.region, p.stage, ...mine.map((f) => f.text)].join(" ").toLowerCase();
		return words.every((w) => text.includes(w)) && (!wish.stage || p.stage === wish.stage) &&
			(!wish.industry || p.industry === wish.industry) &&
			(!(wish.kind || wish.practice) || (wish.kind === "unknown" ? p.unknown + p.failed > 0 : mine.some((f) =>
				(!wish.kind || f.kind === wish.kind) && (!wish.practice || f.practice === wish.practice))));
	});
	const by = columns.find((c) => c.key === wish.sort).by;
	const order = (a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : a.name.localeCompare(b.name));
	return rows.sort((a, b) => (wish.down ? -order(a, b) : order(a, b)));
}

const number = (n, tone, word) => (n ? h("span", { class: tone }, count(n)) : h("span", { class: "soft nothing" },
	h("span", { "aria-hidden": "true" }, "–"),
	h("span", { class: "unseen" }, `no ${word}`)));

function first(data, p) {
	const mine = (data.findings.get(p.partner) ?? []).filter((f) => (!wish.kind || f.kind === wish.kind) &&
		(!wish.practice || f.practice === wish.practice));
	const finding = mine.find((f) => arrived.has(f.id)) ?? mine[0];
	return finding
		? [h("span", { class: `mark ${finding.kind}` }, kinds[finding.kind]?.one ?? finding.kind),
			arrived.has(finding.id) && badge("New", "new"), " ",
			h("a", { href: at.finding(finding.id), "data-key": `first-${p.partner}` }, finding.text)]
		: h("span", { class: "soft" }, "nothing to say");
}

function freshness(p, asOf) {
	const until = through(p);
	if (!until) {
		return h("span", { class: "unknown" }, "no data yet");
	}
	const behind = daysBetween(until, asOf);
	return behind > 0 ? [day(until), h("small", { class: "warn" }, `${plural(behind, "day")} behind`)] : day(until);
}

function row(data, p) {
	const cell = (title, props, ...content) => h("td", { role: "cell", "data-title": title, ...props },
		h("div", null, content));
	return h("tr", { role: "row", "data-partner": p.partner },
		h("th", { scope: "row", role: "rowheader" }, h("a",
			{ href: at.partner(p.partner), class: "name", "data-key": `partner-${p.partner}` }, p.name),
			h("small", null, [plain(p.industry), p.region].filter(Boolean).join(" · ") || (p.created ? "only in the data" : ""))),
		cell("Stage", { class: p.stage ? null : "blank" }, p.stage ? plain(p.stage) : h("span", { class: "soft" }, "none")),
		cell("Red flags", { class: "number" }, number(p.red_flags, "bad strong", "red flags")),
		cell("Gates", { class: "number" }, number(p.gates, "warn strong", "gates")),
		cell("Opportunities", { class: "number" }, number(p.opportunities, "good strong", "opportunities"),
			p.opportunities > 0 && p.worth > 0 && h("small", null, money(p.worth))),
		cell("Insights", { class: "number" }, number(p.insights, "", "insights")),
		cell("Unknown", { class: "number" }, number(p.unknown + p.failed, "unknown", "rules without an answer")),
		cell("Data until", { class: "until" }, freshness(p, data.as_of)),
		cell("Look at first", { class: "first" }, first(data, p)));
}

function tableOf(data, again) {
	const rows = rowsOf(data);
	const sort = (c) => () => {
		wish.down = wish.sort === c.key ? !wish.down : false;
		wish.sort = c.key;
		again();
	};
	const shown = rows.slice(0, wish.rows);
	if (!data.partners.length) {
		return empty("No partners yet", "Write them into entente.yaml, or let a source bring some: the page fills by itself.");
	}
	if (!rows.length) {
		return empty("No partner fits", "Take a filter away to see more.");
	}
	return [h("table", { class: "portfolio", role: "table" },
		h("caption", { class: "unseen" }, "Partners, with what the rules say of them"),
		h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
			columns.map((c) => h("th", { scope: "col", role: "columnheader",
			class: c.number ? "number" : c.key === "matters" ? "first" : null,
			"aria-sort": wish.sort === c.key ? (wish.down ? "descending" : "ascending") : null },
		h("button", { type: "button", class: "sort", "data-key": `sort-${c.key}`, onclick: sort(c) }, c.title))))),
		h("tbody", { role: "rowgroup" }, shown.map((p) => row(data, p)))),
	rows.length > shown.length && h("p", { class: "center" },
		h("button", { type: "button", onclick: () => { wish.rows += step; again(); } },
		`Show ${plural(Math.min(step, rows.length - shown.length), "more partner")}`))];
}

function filters(data, changed) {
	const values = (of) => [...new Set(of.filter(Boolean))].sort();
	const all = [...data.findings.values()].flat();
	const choice = (key, title, options) => {
		const id = fresh("filter");
		return h("div", { class: "field" }, h("label", { for: id }, title),
			h("select", { id, name: key, "data-key": `filter-${key}`,
				onchange: (event) => { wish[key] = event.target.value; changed(); } },
				[["", "All"], ...options].map(([value, text]) => h("option", { value, selected: wish[key] === value }, text))));
	};
	const plainly = (list) => list.map((v) => [v, capital(plain(v))]);
	const search = fresh("filter");
	return h("form", { class: "filters", role: "search", "aria-label": "Partners",
		onsubmit: (event) => event.preventDefault() },
		h("div", { class: "field wide" }, h("label", { for: search }, "Search"),
			h("input", { id: search, type: "search", name: "q", value: wish.q, placeholder: "Name, region, what is said …",
				"data-key": "filter-q",
				oninput: (event) => { wish.q = event.target.value; changed(); } })),
		choice("stage", "Stage", plainly(values(data.partners.map((p) => p.stage)))),
		choice("industry", "Industry", plainly(values(data.partners.map((p) => p.industry)))),
		choice("kind", "Says", [...Object.entries(kinds).filter(([k]) => all.some((f) => f.kind === k)).map(([k, v]) => [k,
			v.many]),
			["unknown", "Unknown"]]),
		choice("practice", "Practice", plainly(values(all.map((f) => f.practice)))));
}

function tiles(data, again) {
	const sum = (key) => data.partners.reduce((n, p) => n + p[key], 0);
	const worth = sum("worth");
	const tile = (kind, tone, n, title, more) => h("button",
		{ type: "button", class: `tile ${tone}`, "aria-pressed": kind ? String(wish.kind === kind) : null,
		"data-key": `tile-${title}`, onclick: () => { wish.kind = wish.kind === kind ? "" : kind; again(); } },
	h("span", { class: "big" }, count(n)), h("span", null, title), more && h("small", null, more));
	const of = (key) => plural(data.partners.filter((p) => p[key] > 0).length, "partner");
	return h("div", { class: "tiles", role: "group", "aria-label": "Filter by what is said" },
		tile("", "", data.partners.length, "Partners", `as of ${day(data.as_of)}`),
		tile("red_flag", "red_flag", sum("red_flags"), "Red flags", sum("red_flags") ? `at ${of("red_flags")}` : "none"),
		tile("gate", "gate", sum("gates"), "Gates", sum("gates") ? `at ${of("gates")}` : "none"),
		tile("opportunity", "opportunity", sum("opportunities"), "Opportunities",
			worth ? `worth ${money(worth, currency(), worth >= 1e6)}` : "none"),
		tile("insight", "insight", sum("insights"), "Insights", sum("insights") ? `at ${of("insights")}` : "none"),
		tile("unknown", "ask", sum("unknown") + sum("failed"), "Unknown",
			sum("unknown") + sum("failed") ? "judgements lack data" : "all is judged"));
}

export const portfolio = {
	title: () => "Portfolio",
	async load() {
		const [partners, found] = await Promise.all([page(`partners?limit=${most}`), page(`findings?limit=${most}`)]);
		return { ...partners.rows, found: found.rows, more: partners.next !== null };
	},
	wants: (name) => name !== "source",
	draw(data) {
		data.findings = group(data.found);
		const results = h("div", { class: "results" });
		const summary = h("p", { class: "soft summary", role: "status" });
		const top = h("div");
		const bar = h("div");
		const again = () => {
			const n = rowsOf(data).length;
			redraw(top, tiles(data, again));
			redraw(bar, filters(data, changed));
			redraw(results, tableOf(data, again));
			summary.textContent = n === data.partners.length ? plural(n,
				"partner") : `${count(n)} of ${plural(data.partners.length, "partner")}`;
		};
		const changed = () => {
			wish.rows = step;
			again();
		};
		again();
		return [h("h1", { tabindex: "-1" }, "Portfolio"), top, bar, summary,
			data.more && h("p", { class: "warn" }, `Only the first ${count(most)} partners are shown here; the API has all of them.`), results];
	},
};

function group(list) {
	const found = new Map();
	for (const f of list) {
		found.set(f.partner, [...(found.get(f.partner) ?? []), f]);
	}
	return found;
}
