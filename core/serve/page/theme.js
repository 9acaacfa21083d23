// SPDX-License-Identifier: Apache-2.0
// Light or dark, as chosen here before; without a choice, as the system has it. Runs before anything is drawn.
try {
	const chosen = localStorage.getItem("entente.theme");
	if (chosen === "light" || chosen === "dark") {
		document.documentElement.dataset.theme = chosen;
	}
} catch {
	// storage is refused: the system's choice holds
}
