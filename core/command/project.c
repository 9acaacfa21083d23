/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a project for a command, see project.h. */
#include "command/project.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void lend(ent__project *p, const ent__session *session) {
	p->config = session->config;
	p->engine = session->engine;
	p->store = ent_engine_store(session->engine);
	p->lent = true;
}

static int configure(ent_call *call, ent__project *p) {
	*p = (ent__project){.block = {.fd = -1}};
	if (call->session) {
		lend(p, call->session);
		return ENT_EXIT_OK;
	}
	int exit = ent_call_config(call, &p->own);
	p->config = p->own;
	return exit;
}

int ent__project_open(ent_call *call, ent__project *p, ent_engine_mode mode) {
	int exit = configure(call, p);
	if (p->lent && mode == ENT_ENGINE_WRITE && !call->session->writes) {
		return ent_call_usage(call, "ask for a change, not for an answer", "'%s' writes", call->command->name);
	}
	if (exit || p->lent) {
		return exit;
	}
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (ent_engine_open(&p->engine, p->config, mode, errors)) {
		exit = ent_call_errors(call, errors);
	} else {
		p->store = ent_engine_store(p->engine);
	}
	free(errors);
	return exit;
}

int ent__project_store(ent_call *call, ent__project *p) {
	ent_error e = {0};
	int exit = configure(call, p);
	if (exit || p->lent) {
		return exit;
	}
	if (ent_store_open(&p->store, p->config->store.s, ENT_STORE_READ, &e) || ent__names_load(&p->names, p->store, &e)) {
		return ent_call_error(call, &e);
	}
	return ENT_EXIT_OK;
}

const char *ent__project_text(const ent__project *p, uint32_t code) {
	return p->engine ? ent_engine_text(p->engine, code) : ent__name(&p->names, code);
}

uint32_t ent__project_code(const ent__project *p, const char *text) {
	return p->engine ? ent_engine_code(p->engine, text) : ent__name_find(&p->names, text);
}

int ent__project_open_any(ent_call *call, ent__project *p) {
	static const char empty[] = "version: 1\ncurrency: EUR\n";
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	*p = (ent__project){.block = {.fd = -1}};
	bool none = !ent_call_has(call, "config") && access(call->config_path, F_OK) != 0;
	int status = none ? ent_config_parse(empty, sizeof empty - 1, "none", "/", &p->own, errors)
					  : ent_config_load(call->config_path, &p->own, errors);
	p->config = p->own;
	if (!status) {
		status = ent_engine_open(&p->engine, p->config, ENT_ENGINE_PLUGINS, errors);
	}
	int exit = status ? ent_call_errors(call, errors) : ENT_EXIT_OK;
	free(errors);
	return exit;
}

int ent__project_snapshot_of(ent_call *call, ent__project *p, int32_t day, const char *mode) {
	ent_error e = {0};
	p->as_of = day;
	p->as_of_mode = mode;
	if (p->lent) {
		const ent__session_snapshot *s = ent__session_snapshot_of(call->session, day, mode, &e);
		if (!s) {
			return ent_call_error(call, &e);
		}
		p->block = s->block;
		p->snap = s->snap;
		return ENT_EXIT_OK;
	}
	if (ent_engine_snapshot(p->engine, day, mode, &p->block, &e) ||
		ent_snap_open(&p->snap, p->block.data, p->block.bytes, &e)) {
		return ent_call_error(call, &e);
	}
	return ENT_EXIT_OK;
}

int ent__project_snapshot(ent_call *call, ent__project *p) {
	static const char *const modes[] = {
		[ENT_AS_OF_NOW] = "now", [ENT_AS_OF_LATEST] = "latest", [ENT_AS_OF_DAY] = "date"};
	ent_as_of as_of = ent_call_as_of(call, p->config);
	ent_error e = {0};
	int32_t day;
	if (ent_engine_as_of(p->engine, &as_of, &day, &e)) {
		return ent_call_error(call, &e);
	}
	return ent__project_snapshot_of(call, p, day, modes[as_of.kind]);
}

void ent__project_finish(ent__project *p) {
	if (!p->lent) {
		if (p->snap.base) {
			ent_snap_finish(&p->snap);
		}
		ent_snapshot_block_finish(&p->block);
		if (!p->engine) {
			ent_store_close(p->store);
		}
		ent_engine_close(p->engine);
		ent_config_destroy(p->own);
	}
	ent__names_finish(&p->names);
	*p = (ent__project){.block = {.fd = -1}};
}

/* Nonzero at the word that is looked for. */
static int is_parked(void *ctx, const char *id, ent_partner_kind kind, const ent_config_partner *config) {
	(void)config;
	return kind == ENT_PARTNER_PARKED && !strcmp(id, ctx);
}

int64_t ent__project_partner(ent_call *call, ent__project *p, const char *id) {
	int64_t found = ent_snap_find_partner(&p->snap, id, strlen(id));
	if (found >= 0) {
		return found;
	}
	const char **ids = ent_xcalloc(p->snap.n_partners + 1, sizeof *ids);
	for (uint32_t i = 0; i < p->snap.n_partners; i++) {
		ids[i] = ent_snap_partner_id(&p->snap, i);
	}
	const char *near = ent_nearest(id, ids, p->snap.n_partners);
	ent_error e;
	ent_error_set(&e, ENT_ERR_NOTFOUND, "there is no partner '%s'", id);
	if (ent_engine_partners(p->engine, is_parked, (void *)id)) {
		ent_error_set(&e, ENT_ERR_NOTFOUND, "'%s' is a word of a source that means no partner yet", id);
		ent_error_todo(&e, "write it as `also: {SYSTEM: %s}` with the partner that it means, and run again", id);
	} else if (near) {
		ent_error_todo(&e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(&e, "`entente partners` lists them");
	}
	free(ids);
	ent_call_error(call, &e);
	return -1;
}
