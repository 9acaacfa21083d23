/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente backup` and `entente restore`: a copy of the store while a service goes on, and the way back. See
 * engine/backup.h. */
#include <stdio.h>
#include <time.h>

#include "command/command.h"
#include "engine/backup.h"

static void show(void *ctx, const ent_backup_progress *p) {
	ent_progress_show(ctx, p->doing, p->bytes_done, p->bytes_total, 0);
}

static void tell_json(ent_json *j, const char *what, const char *path, const ent_backup_report *r) {
	char moment[40];
	time_t seconds = (time_t)(r->moment_us / 1000000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &tm);
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {{"bytes", r->bytes}, {"database_bytes", r->database_bytes}, {"files", r->files},
		{"segments", r->segments}, {"inbox_files", r->inbox_files}, {"identities", r->identities}};
	ent_json_object(j);
	ent_json_key(j, what);
	ent_json_text(j, path);
	ent_json_key(j, "moment");
	ent_json_text(j, moment);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		ent_json_key(j, numbers[i].key);
		ent_json_uint(j, numbers[i].value);
	}
	ent_json_key(j, "identity_key");
	ent_json_bool(j, r->key);
	ent_json_key(j, "seconds");
	ent_json_double(j, r->seconds);
	ent_json_end(j);
}

static int tell(ent_call *call, bool restored, const char *path, const ent_backup_report *r) {
	char size[ENT_NUMBER_TEXT], moment[40];
	time_t seconds = (time_t)(r->moment_us / 1000000);
	struct tm tm;
	localtime_r(&seconds, &tm);
	strftime(moment, sizeof moment, "%Y-%m-%d %H:%M:%S", &tm);
	if (call->json) {
		tell_json(&call->writer, restored ? "restored" : "backup", path, r);
	} else {
		ent_term_printf(&call->term, &call->out, ENT_PLAIN,
			"%s %s: the store as of %s, %s in %u files, checked, in %.1f s\n",
			restored ? "Restored into" : "Backed up to", path, moment, ent_bytes_text(r->bytes, size), r->files,
			r->seconds);
	}
	if (!r->key) {
		ent_call_note(
			call, restored ? "the identity key is not in the backup: `identity_key` of the configuration has to name "
							 "the one that the store was made with"
						   : "the identity key is not in it, as `identity_key` of the configuration names it: "
							 "keep that one, too, or no customer is recognized again");
	}
	return ENT_EXIT_OK;
}

typedef int work(const char *, const char *, ent_backup_tell, void *, ent_backup_report *, ent_error *);

static int do_work(ent_call *call, bool restore) {
	ent_config *config;
	int exit = ent_call_config(call, &config);
	if (exit) {
		return exit;
	}
	ent_backup_report report;
	ent_progress progress;
	ent_error e = {0};
	const char *folder = ent_call_operand(call, 0);
	ent_progress_init(&progress, call->quiet || call->json);
	int status = restore ? ent_restore(folder, config->store.s, show, &progress, &report, &e)
						 : ent_backup(config->store.s, folder, show, &progress, &report, &e);
	ent_progress_clear(&progress);
	exit = status ? ent_call_error(call, &e) : tell(call, restore, restore ? config->store.s : folder, &report);
	ent_config_destroy(config);
	return exit;
}

static int backup(ent_call *call) { return do_work(call, false); }
static int restore(ent_call *call) { return do_work(call, true); }

static const ent_operand backup_operands[] = {
	{.name = "DIR", .required = true, .doc = "The folder to be made: it must not be there."}, {.name = NULL}};
const ent_command ent_command_backup = {
	.name = "backup",
	.doc = "Copy the store, also while a service runs on it.",
	.text = "The copy is of one moment, and whoever works on the store goes on meanwhile. DIR holds everything that "
			"the store needs: "
			"database, ledger, identities with their key, and what arrived and was not read yet. It is checked before "
			"it gets its "
			"name; until then it is called DIR.partial. Keep it as secret as the store, and the configuration and your "
			"exports with it: what a file delivers is read again, what people entered is in the store alone.\n\n"
			"    entente backup /backup/entente-$(date +%F)",
	.operands = backup_operands,
	.run = backup,
};

static const ent_operand restore_operands[] = {
	{.name = "DIR", .required = true, .doc = "A folder that `entente backup` made."}, {.name = NULL}};
const ent_command ent_command_restore = {
	.name = "restore",
	.doc = "Put a backup in the place of the store.",
	.text =
		"The store that the configuration names has to be absent or empty: nothing is ever written over. Every file is "
		"compared "
		"with its sum, and the whole is checked before it becomes the store. The next run, or the service, then reads "
		"what came since the backup.\n\n"
		"    mv store store.old && entente restore /backup/entente-2026-11-22",
	.operands = restore_operands,
	.run = restore,
};
