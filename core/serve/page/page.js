// SPDX-License-Identifier: Apache-2.0
// Logging in: by the code of a login link (#login=…), which is good once, or by a token. The session is a cookie that
// scripts cannot read.
const session = "/api/v1/session";
const at = (id) => document.getElementById(id);

async function log_in(with_what) {
	const answer = await fetch(session, {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(with_what) });
	show(answer);
}

async function show(answer) {
	const body = await answer.json();
	at("who").textContent = answer.ok ? `${body.name}, ${body.role}` : body.detail;
	at("login").hidden = answer.ok;
	at("logout").hidden = !answer.ok;
}

at("login").addEventListener("submit", (event) => {
	event.preventDefault();
	log_in({ token: event.target.token.value.trim() });
});
at("logout").addEventListener("click", async () => {
	await fetch(session, { method: "DELETE" });
	location.reload();
});
const code = new URLSearchParams(location.hash.slice(1)).get("login");
if (code) {
	history.replaceState(null, "", location.pathname);
	log_in({ code });
} else {
	show(await fetch(session));
}
