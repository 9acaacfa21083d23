// SPDX-License-Identifier: Apache-2.0
// What people know of a partner: registers with their entries, and forms that are made from the registers' fields.
import { may, get, page, patch, post, word } from "./api.js";
import { badge, h, section } from "./dom.js";
import { capital, count, day, plain } from "./format.js";
import { toast } from "./news.js";
import { formDialog } from "./parts.js";

const fieldsOf = new Map(); // by register: they change with the program alone

export async function loadRegisters(partner) {
	const list = await get("registers");
	return Promise.all(list.map(async (r) => {
		if (!fieldsOf.has(r.name)) {
			fieldsOf.set(r.name, await get(`registers/${word(r.name)}`));
		}
		const { rows, next } = await page(`registers/${word(r.name)}/entries?partner=${word(partner)}&limit=200`);
		return { ...r, states: r.states.split(" "), fields: fieldsOf.get(r.name), entries: rows, more: next !== null };
	}));
}

/** A field of a register as one of a form. */
function asked(f, value) {
	const [type, choices] = f.type.split(": ");
	const text = value === null || value === undefined ? "" : typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
	return {
		name: f.name, title: capital(plain(f.name)), doc: capital(f.doc), required: f.required,
		type: type === "text" && f.required ? "long" : type,
		choices: choices ? choices.split(" ") : type === "yes or no" ? ["yes", "no"] : null,
		value: type === "time" ? text.replace(" ", "T").slice(0, 16) : text,
	};
}

const stateField = (register, value) => ({ name: ".state", title: "State", choices: register.states, required: true,
	value: value ?? register.states[0], doc: "How it stands." });
const onField = (value) => ({ name: ".on", title: "Holds from", type: "date", value: value ?? "",
	doc: "Without it, from now." });

/** What is sent: values of the fields, as they were typed; a time with a blank. */
function body(register, values, before) {
	const fields = {};
	for (const f of register.fields) {
		const value = f.type === "time" ? values[f.name].replace("T", " ") : values[f.name];
		const old = before ? asked(f, before[f.name]).value.replace("T", " ") : "";
		if (before ? value !== old : value !== "") {
			fields[f.name] = value === "" ? null : value;
		}
	}
	const sent = { fields };
	if (values[".state"] && values[".state"] !== before?.state) {
		sent.state = values[".state"];
	}
	if (values[".on"] && values[".on"] !== before?.effective) {
		sent.on = values[".on"];
	}
	return sent;
}

function add(partner, register, again) {
	formDialog({
		title: `New entry: ${plain(register.name)}`, lead: `${register.doc} Of ${partner.name}.`, button: "Add",
		fields: [...register.fields.map((f) => asked(f)), stateField(register), onField()],
		send: async (values) => {
			await post(`registers/${word(register.name)}/entries`, { partner: partner.partner, ...body(register, values) });
			toast(`Added to ${plain(register.name)}.`);
			again();
		},
	});
}

const pathOf = (register, entry) => `registers/${word(register.name)}/entries/${word(entry.partner)}/${word(entry.id)}`;

function edit(register, entry, again) {
	formDialog({
		title: `${capital(plain(register.name))}, entry ${entry.id}`, lead: "What was there before stays in the ledger.", button: "Save",
		fields: [...register.fields.map((f) => asked(f, entry[f.name])), stateField(register, entry.state),
			onField(entry.effective)],
		send: async (values) => {
			await patch(pathOf(register, entry), body(register, values, entry));
			toast("The entry is changed.");
			again();
		},
	});
}

function close(register, entry, again) {
	formDialog({
		title: `Close entry ${entry.id} of ${plain(register.name)}`, lead: titleOf(register, entry), button: "Close the entry",
		fields: [{ ...stateField(register, register.states[1]), choices: register.states.slice(1), title: "How it ended",
			doc: "" }],
		send: async (values) => {
			await post(`${pathOf(register, entry)}/close`, { state: values[".state"] });
			toast("The entry is closed.");
			again();
		},
	});
}

function shown(f, value) {
	if (value === null || value === undefined || value === "") {
		return null;
	}
	return f.type === "date" ? day(value) : f.type === "number" ? count(Number(value)) : typeof value === "boolean" ? (value ? "yes" : "no")
		: f.type.startsWith("one of") ? plain(String(value)) : String(value);
}

const titleOf = (register, entry) => {
	const f = register.fields.find((x) => x.type === "text" && x.required) ?? register.fields.find((x) => x.required) ?? register.fields[0];
	return shown(f, entry[f.name]) ?? `Entry ${entry.id}`;
};

function entryOf(register, entry, again) {
	const open = entry.state === register.states[0] && register.states.length > 1;
	const title = titleOf(register, entry);
	const rest = register.fields.map((f) => [f, shown(f, entry[f.name])]).filter(([, text]) => text !== null && text !== title);
	const key = `${register.name}-${entry.id}`;
	return h("li", { class: open ? "entry" : "entry over", "data-entry": key },
		h("p", { class: "text" }, title, " ", badge(entry.state, open ? "open" : "")),
		h("dl", { class: "pairs" }, rest.map(([f, text]) => h("div", null, h("dt", null, capital(plain(f.name))),
			h("dd", null, text)))),
		h("p", { class: "small soft" }, `No. ${entry.id}`, entry.actor && ` · ${entry.actor}`,
			entry.recorded && ` · ${entry.recorded.slice(0, 16)}`),
		may("strategist") && h("div", { class: "buttons", role: "group", "aria-label": title },
			h("button", { type: "button", "data-key": `edit-${key}`, onclick: () => edit(register, entry, again) }, "Edit"),
			open && h("button", { type: "button", "data-key": `close-${key}`, onclick: () => close(register, entry, again) },
				"Close")));
}

export function registers(partner, list, again) {
	return section("Registers", { class: "registers" }, h("p", { class: "lead" }, "What people know, and no export holds."),
		list.map((r) => {
		const open = r.entries.filter((e) => e.state === r.states[0]).length;
		const sorted = [...r.entries].sort((a, b) => (a.state === r.states[0] ? 0 : 1) - (b.state === r.states[0] ? 0 : 1));
		return h("details", { class: "card register", "data-key": `register-${r.name}`, "data-register": r.name },
			h("summary", null, h("h3", null, capital(plain(r.name))), h("span", { class: "soft" },
				r.entries.length ? `${count(r.entries.length)}${r.more ? " and more" : ""}, ${count(open)} ${r.states[0]}` : "none")),
			h("p", { class: "soft" }, r.doc),
			r.entries.length > 0 && h("ul", { class: "entries" }, sorted.map((e) => entryOf(r, e, again))),
			may("strategist") && h("p", null, h("button",
				{ type: "button", class: "main", "data-key": `add-${r.name}`, onclick: () => add(partner, r, again) },
				"Add an entry", h("span", { class: "unseen" }, ` to ${plain(r.name)}`))));
	}));
}
