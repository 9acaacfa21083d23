// SPDX-License-Identifier: Apache-2.0
// What is judged, by which settings, and how often there was no answer.
import { at, get, page } from "./api.js";
import { empty, h, section, table } from "./dom.js";
import { capital, count, plain, plural } from "./format.js";
import { findingCard } from "./parts.js";

async function load() {
	const [said, status] = await Promise.all([get("rules"), get("status")]);
	return { rules: said.rules, errors: said.errors ?? [], runs: status.rules, error: status.rules_error,
		refused: status.refused_error };
}

const lead = (doc) => (doc ?? "").split("\n\n")[0];
const setting = (s) => typeof s === "object" && s !== null ? (Array.isArray(s) ? s.join(", ") : JSON.stringify(s)) : String(s);

function figures(run) {
	if (!run) {
		return [h("span", { class: "soft" }, "not yet"), "–", "–", "–"];
	}
	return [count(run.runs), run.true ? count(run.true) : "–",
		run.unknown ? h("span", { class: "unknown" }, count(run.unknown)) : "–",
		run.failed ? h("span", { class: "bad" }, count(run.failed)) : "–"];
}

export const rules = {
	title: () => "Rules",
	load,
	wants: (name) => name === "committed" || name === "refused" || name === "reset",
	draw(data) {
		const practices = [...new Set(data.rules.map((r) => r.practice))];
		const run = (name) => data.runs.find((r) => r.rule === name);
		return [h("h1", { tabindex: "-1" }, "Rules"), h("p", { class: "lead" },
			"What is judged of each partner. Counts are since the service started; unknown means that data was missing, and counts for or against nobody."),
			data.error && h("p", { class: "card wrong", role: "note" }, h("strong", null, "A rulebook has a fault: "),
				data.error),
			data.refused && h("p", { class: "card wrong", role: "note" }, h("strong", null, "What was saved last is not active: "),
				data.refused, " The rules before it go on."),
			data.rules.length ? practices.map((p) => section(capital(plain(p)), null, table(`Rules, ${plain(p)}`,
				[{ title: "Rule" }, { title: "Says", class: "long" }, { title: "Judged", number: true },
					{ title: "True", number: true }, { title: "Unknown", number: true }, { title: "Failed", number: true }],
				data.rules.filter((r) => r.practice === p).map((r) => [h("a", { href: at.rule(r.name) }, plain(r.name)),
					lead(r.doc), ...figures(run(r.name))]))))
				: empty("No rules yet", "Write a rulebook, and name it at rules: books.")];
	},
};

export const ruleView = {
	title: (data) => capital(plain(data.rule.name)),
	async load(place) {
		const [all, found] = await Promise.all([load(), page(`findings?rule=${encodeURIComponent(place.id)}&limit=200`)]);
		const rule = all.rules.find((r) => r.name === place.id) ?? { name: place.id,
			doc: "Said by the service itself, not by a rulebook.", settings: [], needs: [] };
		return { rule, run: all.runs.find((r) => r.rule === place.id) ?? null, findings: found.rows };
	},
	wants: (name, data, shown) => name !== "source" && (name !== "finding" || data.rule === shown.data.rule.name),
	draw(data, place, again) {
		const r = data.rule, [judged, yes, unknown, failed] = figures(data.run);
		const docs = new Map((r.doc ?? "").split("\n").map((l) => /^(\w+) {2,}(.*)$/.exec(l)).filter(Boolean).map((m) => [m[1], m[2]]));
		return [h("nav", { "aria-label": "Where you are", class: "crumbs" }, h("a", { href: "#/rules" }, "Rules")),
			h("h1", { tabindex: "-1" }, capital(plain(r.name))), h("p", { class: "sum" }, lead(r.doc)),
			h("div", { class: "columns" }, h("div", null, section("Findings", null, data.findings.length
				? [h("p", { class: "soft" }, plural(data.findings.length, "finding")),
					h("ul", { class: "findings" }, data.findings.map((f) => findingCard(f, again, true)))]
				: h("p", { class: "soft" }, "It says nothing of anybody now."))),
			h("div", null, section("Settings", null, r.settings.length ? [h("p", { class: "soft" },
				"Set in entente.yaml, at rules: set."), table("Settings",
				[{ title: "Setting" }, { title: "Is" }, { title: "Means", class: "long" }],
				r.settings.map((s) => [h("code", null, s.name),
					[h("strong", null, setting(s.value)),
					setting(s.value) !== setting(s.default) && h("small", null, `else ${setting(s.default)}`)],
					docs.get(s.name) ?? ""]))] : h("p", { class: "soft" }, "It has none.")),
			section("Judged", null, h("dl", { class: "facts" },
				[["Times", judged], ["True", yes], ["Unknown", unknown], ["Failed", failed]].map(([t, v]) =>
				h("div", null, h("dt", null, t), h("dd", null, v))), r.needs.length > 0 && h("div", null, h("dt", null,
					"Needs"), h("dd", null, r.needs.map(plain).join(", "))),
			r.file && h("div", null, h("dt", null, "Written in"), h("dd", null, h("code", null, `${r.file}:${r.line}`)))))))];
	},
};
