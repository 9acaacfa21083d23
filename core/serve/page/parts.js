// SPDX-License-Identifier: Apache-2.0
// What several views show: words of kinds and states, a finding as a card, what can be made of it, dialogs.
import { at, may, post, word } from "./api.js";
import { badge, fresh, h } from "./dom.js";
import { capital, day, isKnown, money, plain, span } from "./format.js";
import { arrived, toast } from "./news.js";

/** In the order in which they matter. */
export const kinds = {
	red_flag: { one: "Red flag", many: "Red flags", counted: "red_flags" },
	gate: { one: "Gate", many: "Gates", counted: "gates" },
	opportunity: { one: "Opportunity", many: "Opportunities", counted: "opportunities" },
	proposal: { one: "Proposal", many: "Proposals" },
	insight: { one: "Insight", many: "Insights", counted: "insights" },
	ask: { one: "Ask", many: "Asks" },
	failure: { one: "Failed rule", many: "Failed rules", counted: "failed" },
};

const states = { open: null, reopened: "Reopened", acknowledged: "Acknowledged", explained: "Explained", accepted: "Accepted",
	resolved: "Resolved", cleared: "Cleared", stale: "Could not be judged again" };

// ---- dialogs -----------------------------------------------------------------------------------------------------------------

/** A form in a dialog. `send(values)` may throw a Problem, which is shown in the form; else it closes. */
export function formDialog({ title, lead, fields, button, send }) {
	const id = fresh("dialog");
	const alert = h("p", { class: "bad", role: "alert" });
	const submit = h("button", { type: "submit", class: "main" }, button);
	const controls = fields.map((f) => control(f));
	const form = h("form", { method: "dialog", novalidate: true },
		h("h2", { id }, title), lead && h("p", { class: "soft" }, lead),
		controls.map((c) => c.row), alert,
		h("div", { class: "buttons" }, submit,
			h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel")));
	const dialog = h("dialog", { "aria-labelledby": id }, form);
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		alert.textContent = "";
		const missing = controls.filter((c) => !c.check());
		if (missing.length) {
			missing[0].input.focus();
			return;
		}
		submit.disabled = true;
		try {
			await send(Object.fromEntries(controls.map((c) => [c.name, c.input.value.trim()])));
			dialog.close();
		} catch (problem) {
			alert.textContent = [capital(problem.message), problem.todo].filter(Boolean).join(": ");
		} finally {
			submit.disabled = false;
		}
	});
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
	controls[0]?.input.focus();
	return dialog;
}

/** A labelled input: {name, title, doc, type, choices, required, value}. */
function control(f) {
	const id = fresh("field"), doc = `${id}-doc`, wrong = `${id}-wrong`;
	const common = { id, name: f.name, required: f.required, "aria-describedby": `${doc} ${wrong}` };
	let input;
	if (f.choices) {
		input = h("select", common, (f.required && !f.value ? ["", ...f.choices] : f.required ? f.choices : ["",
			...f.choices]).map((c) =>
			h("option", { value: c, selected: c === (f.value ?? "") }, c === "" ? "–" : capital(plain(c)))));
		for (const option of input.options) {
			option.setAttribute("value", option.value);
		}
	} else if (f.type === "long") {
		input = h("textarea", { ...common, rows: "3", value: f.value ?? "" });
	} else {
		const types = { date: "date", time: "datetime-local" };
		input = h("input", { ...common, type: types[f.type] ?? "text", inputmode: f.type === "number" ? "decimal" : null,
			autocomplete: "off", value: f.value ?? "" });
	}
	const error = h("span", { class: "bad wrong", id: wrong });
	const row = h("div", { class: "field" },
		h("label", { for: id }, f.title, f.required ? h("span", { class: "soft" }, " (required)") : null), input,
		h("span", { class: "soft doc", id: doc }, f.doc ?? ""), error);
	const check = () => {
		const bad = f.required && input.value.trim() === "";
		error.textContent = bad ? `${f.title} is required` : "";
		input.toggleAttribute("aria-invalid", bad);
		return !bad;
	};
	return { name: f.name, input, row, check };
}

// ---- findings ------------------------------------------------------------------------------------------------------------------

const verbs = {
	acknowledge: { title: "Acknowledge", lead: "Somebody looks after it.", from: ["open", "reopened"] },
	explain: { title: "Explain", lead: "It is known where it comes from.", from: ["open", "reopened", "acknowledged"] },
	accept: { title: "Accept", lead: "We live with it, until a day or while it is not worth more.",
		from: ["open", "reopened", "acknowledged", "explained"] },
	resolve: { title: "Resolve", lead: "It is done with.",
		from: ["open", "reopened", "acknowledged", "explained", "accepted"] },
	reopen: { title: "Reopen", lead: "Takes back what was made of it.",
		from: ["acknowledged", "explained", "accepted", "resolved"] },
};
const past = { acknowledge: "acknowledged", explain: "explained", accept: "accepted", resolve: "resolved", reopen: "reopened" };

function changeDialog(finding, verb, again) {
	const fields = [{ name: "reason", title: "Reason", type: "long", required: true, doc: "It is shown with the finding." }];
	if (verb === "accept") {
		fields.push({ name: "until", title: "Until", type: "date", doc: "The last day for which it is accepted." },
			{ name: "worth", title: "While not worth more than", type: "number", doc: "In the reporting currency." });
	}
	formDialog({
		title: `${verbs[verb].title} this finding`, lead: `${finding.text}`, fields, button: verbs[verb].title,
		send: async ({ reason, until, worth }) => {
			const body = { reason };
			if (until) {
				body.until = until;
			}
			if (worth) {
				body.worth = Number(worth.replace(/,/g, ""));
			}
			await post(`findings/${word(finding.id)}/${verb}`, body);
			toast(`The finding is ${past[verb]}.`);
			again();
		},
	});
}

/** Buttons for what can be made of a finding in its state. */
export function lifeButtons(finding, again) {
	if (!may("strategist")) {
		return null;
	}
	const now = finding.life ?? finding.state;
	return h("div", { class: "buttons", role: "group", "aria-label": "What is made of it" },
		Object.entries(verbs).filter(([, v]) => v.from.includes(now)).map(([verb, v]) =>
			h("button", { type: "button", title: v.lead, "data-key": `${finding.id}-${verb}`,
				onclick: () => changeDialog(finding, verb, again) }, v.title)));
}

export function worthOf(finding, per) {
	return isKnown(finding.worth) && finding.worth !== 0
		? h("p", { class: "worth" }, h("span", { class: "big" }, money(finding.worth)),
			per && h("span", null, ` in ${span(per)}`)) : null;
}

export function metaOf(finding, withPartner) {
	const state = states[finding.state];
	return h("p", { class: "meta" },
		h("span", { class: "kind" }, kinds[finding.kind]?.one ?? finding.kind),
		arrived.has(finding.id) && badge("New", "new"),
		finding.severity && h("span", null, `${capital(finding.severity)} severity`),
		state && badge(state),
		withPartner && h("a", { href: at.partner(finding.partner) }, finding.partner),
		h("a", { href: at.rule(finding.rule) }, plain(finding.rule)),
		h("span", null, finding.since === finding.as_of ? `since ${day(finding.since)}` : `${day(finding.since)} to ${day(finding.as_of)}`),
		finding.audience === "us" && h("span", { title: "The partner does not see it" }, "ours alone"));
}

/** A finding in a list. */
export function findingCard(finding, again) {
	return h("li", { class: `finding ${finding.kind}`, "data-finding": finding.id },
		metaOf(finding, false),
		h("p", { class: "text" }, h("a", { href: at.finding(finding.id), "data-key": `finding-${finding.id}` }, finding.text)),
		worthOf(finding, null),
		h("div", { class: "actions" }, h("a", { href: at.finding(finding.id), class: "more",
			"aria-label": `Evidence: ${finding.text}` }, "Evidence"), lifeButtons(finding, again)));
}
