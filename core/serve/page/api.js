// SPDX-License-Identifier: Apache-2.0
// What the service says and takes, see /openapi.json. Who is not logged in (401) is led to the login, and back.

/** An answer that is an error: what is wrong, what to do, and all of them with their places if there are several. */
export class Problem extends Error {
	constructor(status, body) {
		super(body?.what ?? body?.detail ?? body?.title ?? `the service answered ${status}`);
		this.status = status;
		this.todo = body?.todo ?? null;
		this.errors = body?.errors ?? (body?.file ? [body] : []);
	}
}

let onLogin = () => {};
export const whenLoginIsNeeded = (f) => { onLogin = f; };

async function send(method, path, body) {
	let answer;
	try {
		answer = await fetch(path.startsWith("/") ? path : `/api/v1/${path}`, {
			method,
			headers: body === undefined ? { Accept: "application/json" }
				: { Accept: "application/json", "Content-Type": "application/json" },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch {
		throw new Problem(0, { what: "the service does not answer", todo: "it is tried again when the connection is back" });
	}
	const json = (answer.headers.get("Content-Type") ?? "").includes("json");
	const said = json ? await answer.json() : null;
	if (!answer.ok) {
		const problem = new Problem(answer.status, said);
		if (answer.status === 401 && !path.endsWith("session")) {
			onLogin();
		}
		throw problem;
	}
	return { said, next: /<([^>]*)>;\s*rel="?next/.exec(answer.headers.get("Link") ?? "")?.[1] ?? null };
}

export const get = async (path) => (await send("GET", path)).said;
export const post = async (path, body) => (await send("POST", path, body ?? {})).said;
export const patch = async (path, body) => (await send("PATCH", path, body)).said;
export const ask = async (method, path, body) => (await send(method, path, body)).said;

/** One page of a list, and the path of the next one (null: there is none). */
export async function page(path) {
	const { said, next } = await send("GET", path);
	return { rows: said, next };
}

const word = encodeURIComponent;
export const at = {
	partner: (id) => `#/partners/${word(id)}`,
	records: (id, kind, from, to) => `#/partners/${word(id)}/records?kind=${kind}&from=${from}&to=${to}`,
	finding: (id) => `#/findings/${word(id)}`,
	source: (name) => `#/sources/${word(name)}`,
	rule: (name) => `#/rules/${word(name)}`,
};
export { word };

const roles = ["partner", "viewer", "strategist", "operator", "admin"];
let session = null;
export const who = () => session;
export const setWho = (w) => { session = w; };
/** May the one who is logged in do what needs this role? */
export const may = (role) => session !== null && roles.indexOf(session.role) >= roles.indexOf(role);
