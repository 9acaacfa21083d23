// SPDX-License-Identifier: Apache-2.0
// Logging in by a token. Links of `entente token link` come here by their code and never see this form.
import { post, word } from "./api.js";
import { h } from "./dom.js";

export function login(enter) {
	const alert = h("p", { class: "bad", role: "alert" });
	const input = h("input", { id: "token", name: "token", type: "password", autocomplete: "current-password", required: true,
		"aria-describedby": "token-doc" });
	const form = h("form", { class: "card login" },
		h("h1", { tabindex: "-1" }, "Entente"),
		h("p", { class: "soft" }, "Where each partnership stands."),
		h("div", { class: "field" }, h("label", { for: "token" }, "Token"), input,
			h("span", { class: "soft doc", id: "token-doc" },
				"It stays in a cookie for a week, and this page cannot read it.")),
		alert, h("div", { class: "buttons" }, h("button", { type: "submit", class: "main" }, "Log in")),
		h("details", null, h("summary", null, "I have no token"),
			h("p", null, "Whoever runs the service makes a link that logs you in, once:"),
			h("pre", null, "entente token link"),
			h("p", null, "or a token of your own:"),
			h("pre", null, "entente token add NAME --role strategist")));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		alert.textContent = "";
		try {
			const session = await post("session", { token: input.value.trim() });
			await enter(session);
		} catch (problem) {
			alert.textContent = [problem.message, problem.todo].filter(Boolean).join(". ");
			input.focus();
		}
	});
	return form;
}

/** Whoever logs in with a partner's token sees what was released to it. */
export const ownBrief = (who) => h("section", { class: "card login" }, h("h1", { tabindex: "-1" }, who.partner),
	h("p", null, "What was released to you:"),
	h("p", null, h("a", { href: `/api/v1/partners/${word(who.partner)}/brief`, target: "_blank", rel: "noopener" },
		"Your brief")));
