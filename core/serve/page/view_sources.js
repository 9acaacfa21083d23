// SPDX-License-Identifier: Apache-2.0
// The ways in: what they brought, what waits, what is late or fails; and what could not be read, with its place.
import { at, get, page, word } from "./api.js";
import { badge, empty, fresh, h, redraw, section, table } from "./dom.js";
import { ago, bytes, capital, count, day, duration, instant, plural } from "./format.js";

const tones = { idle: "calm", waiting: "busy", failing: "wrong", quarantined: "wrong" };
const titles = { idle: "Up to date", waiting: "Reading", failing: "Failing", quarantined: "Quarantined" };
const state = (s) => [badge(titles[s.state] ?? "Not configured", tones[s.state] ?? ""), s.late && badge("Late", "wrong")];
const troubled = (s) => s.late || ["failing", "quarantined"].includes(s.state) || s.rejected > 0 || s.parked > 0;

/** Said where there is no time of the last arrival. */
const unheard = (s) => s.records > 0 ? "unknown" : "never";

const wish = { q: "", trouble: false };

function rate(s, rates) {
	const r = rates.get(s.source);
	return r > 0 ? `${count(r)}/s` : "–";
}

const heads = [{ title: "Source" }, { title: "State" }, { title: "Records", number: true }, { title: "Now", number: true },
	{ title: "Rejected", number: true },
	{ title: "Waiting", number: true }, { title: "Data until" }, { title: "Last came" }, { title: "Last error",
		class: "long" }];

function rowOf(s, rates) {
	return [[h("a", { href: at.source(s.source), "data-key": `source-${s.source}` }, s.source),
		h("small", null, [s.transport, s.partner ? `of ${s.partner}` : "of many"].filter(Boolean).join(", "))],
		state(s), count(s.records), rate(s, rates),
		s.rejected ? h("a", { class: "bad", href: at.source(s.source) }, count(s.rejected),
			h("span", { class: "unseen" }, ` rejected records of ${s.source}`)) : h("span", { class: "soft" }, "–"),
		s.waiting_files || s.waiting_bytes ? h("span", null, bytes(s.waiting_bytes ?? 0),
			s.waiting_since && h("small", null, `since ${ago(s.waiting_since)}`)) : h("span", { class: "soft" }, "–"),
		s.last_day ? day(s.last_day) : h("span", { class: "unknown" }, "no data yet"), s.arrived ? h("time",
			{ datetime: s.arrived, title: instant(s.arrived) }, ago(s.arrived)) : h("span", { class: "unknown" }, unheard(s)),
		s.error ? h("span", { class: "bad" }, s.error) : h("span", { class: "soft" }, "none")];
}

const seen = new Map(); // by source: records, and when they were so many
function ratesOf(list) {
	const now = Date.now(), rates = new Map();
	for (const s of list) {
		const last = seen.get(s.source);
		if (last && s.records > last.records) {
			rates.set(s.source, (s.records - last.records) / Math.max(1, (now - last.at) / 1000));
		}
		seen.set(s.source, { records: s.records, at: now });
	}
	return rates;
}

export const sources = {
	title: () => "Sources",
	async load() {
		const { rows } = await page("sources?limit=10000");
		return { sources: rows };
	},
	wants: () => true,
	draw(data) {
		const rates = ratesOf(data.sources);
		const results = h("div", { class: "results" }), summary = h("p", { class: "soft summary", role: "status" });
		const id = fresh("filter");
		const changed = () => {
			const list = data.sources.filter((s) => `${s.source} ${s.partner ?? ""} ${s.transport ?? ""} ${s.from ?? ""}`.toLowerCase().includes(wish.q.toLowerCase()) &&
				(!wish.trouble || troubled(s)));
			summary.textContent = `${list.length === data.sources.length ? "" : `${count(list.length)} of `}${plural(data.sources.length, "source")}, ` +
				`${data.sources.filter(troubled).length || "none"} to look at`;
			redraw(results, list.length ? table("Sources", heads, list.map((s) => rowOf(s, rates)))
				: data.sources.length ? empty("No source fits", "Take a filter away to see more.") : empty("No sources yet",
					"Write them into entente.yaml."));
		};
		changed();
		return [h("h1", { tabindex: "-1" }, "Sources"),
			h("form", { class: "filters", role: "search", "aria-label": "Sources",
				onsubmit: (event) => event.preventDefault() },
				h("div", { class: "field wide" }, h("label", { for: id }, "Search"),
					h("input", { id, type: "search", value: wish.q, "data-key": "source-q",
					oninput: (event) => { wish.q = event.target.value; changed(); } })),
				h("label", { class: "check wide" }, h("input",
					{ type: "checkbox", checked: wish.trouble, "data-key": "source-trouble",
					onchange: (event) => { wish.trouble = event.target.checked; changed(); } }), " Only what needs a look")),
			summary, results];
	},
};

function equation(s) {
	const parts = [["read", s.records], ["became facts", s.consumed], ["were rejected", s.rejected],
		["were skipped", s.skipped]];
	const closes = s.records === s.consumed + s.rejected + s.skipped;
	return [h("dl", { class: "facts" }, parts.map(([title, n]) => h("div", null,
		h("dt", null, `Records that ${title === "read" ? "were read" : title}`), h("dd", null, count(n)))),
		h("div", null, h("dt", null, "Facts received"), h("dd", null, count(s.facts))),
		s.parked > 0 && h("div", null, h("dt", null, "Facts of unknown partners"), h("dd", { class: "warn" }, count(s.parked))),
		s.pending > 0 && h("div", null, h("dt", null, "Facts without their order"),
			h("dd", { class: "warn" }, count(s.pending)))),
	h("p", { class: closes ? "soft small" : "bad" }, closes ? "Every record is accounted for." : "The balance does not close.")];
}

/** Line and column of a reject, in words. */
const place = (r) => [r.line ? `line ${count(r.line)}` : `byte ${count(r.place)}`,
	r.column && `column ${r.column}`].filter(Boolean).join(", ");

export const sourceView = {
	title: (data) => data.source.source,
	async load(at_) {
		const [source, rejects] = await Promise.all([get(`sources/${word(at_.id)}`),
			page(`rejects?source=${word(at_.id)}&limit=200`)]);
		return { source: Array.isArray(source) ? source[0] : source, rejects: rejects.rows, more: rejects.next !== null };
	},
	wants: (name, data, shown) => name !== "finding" && (name !== "source" || data.source === shown.data.source.source),
	draw(data) {
		const s = data.source;
		const fact = (title, value, className) => value === null || value === undefined ? null : h("div", null,
			h("dt", null, title), h("dd", { class: className }, value));
		return [h("nav", { "aria-label": "Where you are", class: "crumbs" }, h("a", { href: "#/sources" }, "Sources")),
			h("h1", { tabindex: "-1" }, s.source), h("p", null, state(s)),
			s.error && h("p", { class: "card wrong", role: "note" }, h("strong", null, "Last error: "), s.error,
				s.retry && ` · tried again ${ago(s.retry)}`),
			h("div", { class: "columns" }, h("div", null,
				section("Rejects", null, data.rejects.length ? [h("p", { class: "lead" },
					`Records that could not be read${data.more ? ", the first 200" : ""}. What stood there is masked.`),
					table("Rejects", [{ title: "File" }, { title: "Place" }, { title: "Reason", class: "long" },
						{ title: "What stands there", class: "long" }, { title: "Seen" }],
						data.rejects.map((r) => [r.input, place(r), capital(r.reason), h("code", null, r.excerpt),
							h("time", { datetime: new Date(r.seen_us / 1000).toISOString() },
								instant(new Date(r.seen_us / 1000).toISOString()))]))]
					: h("p", { class: "soft" }, "Every record could be read."))),
			h("div", null, section("Comes", null, h("dl", { class: "facts" },
				fact("How", s.transport && capital(s.transport)), fact("From",
					s.from && h("code", null, s.from)), fact("Read by", s.decoder),
				fact("Partner", s.partner ? h("a", { href: at.partner(s.partner) }, s.partner) : "as the data says"),
				fact("Last came", s.arrived ? `${ago(s.arrived)} (${instant(s.arrived)})` : unheard(s),
					s.arrived ? null : "unknown"), fact("Data until", s.last_day ? day(s.last_day) : "no data yet", s.last_day ? null : "unknown"),
				fact("Expected every", s.every_s && duration(s.every_s)), fact("Late after",
					s.late_after_s && duration(s.late_after_s)),
				fact("Files", `${count(s.files)}${s.unfinished ? `, ${count(s.unfinished)} unfinished` : ""}`), fact("Size",
					bytes(s.bytes)),
				fact("Waiting", s.waiting_files ? `${plural(s.waiting_files, "file")}, ${bytes(s.waiting_bytes)}` : "nothing"),
				fact("Failures", s.failures || null, "bad"), fact("Workers restarted", s.restarts || null, "warn"))),
			section("Balance", null, equation(s))))];
	},
};
