/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing the engine, and the run of an ingest. Loop thread only. */
#include "config/install.h"
#include "config/options.h"
#include "engine/internal.h"
#include "engine/judged.h"
#include "engine/released.h"
#include "engine/spare.h"
#include "engine/facts_table.h"
#include "engine/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 16, SLOT_UNIT = 4096 };

/* ---- identity key -------------------------------------------------------------------------------------------------------- */

static int key_from_secret(ent_engine *e, ent_error *error) {
	ent_str text;
	if (ent_config_secret(e->config->identity_key.s, e->config->folder, &e->arena, &text, error)) {
		return error->code;
	}
	if (text.n < 16) {
		ent_error_set(error, ENT_ERR_INVALID, "the identity key has %zu bytes, at least 16 are needed", text.n);
		return ent_error_todo(error, "make one: head -c 32 /dev/urandom | base64 > identity.key");
	}
	crypto_generichash(e->identity_key, sizeof e->identity_key, (const uint8_t *)text.p, text.n, NULL, 0);
	return 0;
}

/* The store's own key: made once, readable by its owner alone. Without it no identity can be recognized again. */
static int key_from_store(ent_engine *e, ent_error *error) {
	char path[4096];
	snprintf(path, sizeof path, "%s/identity.key", ent_store_folder(e->store));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *used = NULL;
	if (ent_store_meta_get(e->store, "identity_key", &used, error)) {
		return error->code;
	}
	if (fd < 0 && errno == ENOENT && e->writable && !used) {
		char fresh[sizeof path + 8];
		snprintf(fresh, sizeof fresh, "%s.new", path);
		randombytes_buf(e->identity_key, sizeof e->identity_key);
		fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, e->identity_key, sizeof e->identity_key) != sizeof e->identity_key || fsync(fd) ||
			rename(fresh, path)) {
			ent_error_errno(error, ENT_ERR_IO, "cannot keep the identity key in %s", path);
		}
	} else if (fd < 0 || read(fd, e->identity_key, sizeof e->identity_key) != sizeof e->identity_key) {
		if (fd >= 0 || e->writable || errno != ENOENT || used) {
			ent_error_set(error, ENT_ERR_CORRUPT, "the identity key %s cannot be read, or is cut off", path);
			ent_error_todo(error, "restore it from a backup: without it customers cannot be recognized again");
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	free(used);
	return error->code;
}

int ent__identity_key_look(ent_engine *e, bool *fresh, ent_error *error) {
	*fresh = false;
	if (e->config->identity_key.s) {
		return key_from_secret(e, error);
	}
	char path[4096];
	snprintf(path, sizeof path, "%s/identity.key", e->config->store.s);
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
	if (fd < 0 && errno == ENOENT) {
		randombytes_buf(e->identity_key, sizeof e->identity_key);
		*fresh = true;
	} else if (fd < 0 || read(fd, e->identity_key, sizeof e->identity_key) != sizeof e->identity_key) {
		status = ent_error_set(error, ENT_ERR_IO, "the identity key %s cannot be read, or is cut off", path);
		ent_error_todo(error, "look as the user whose store it is");
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

/* What the store remembers of the key that its identities were made with: nothing that the key could be found from. */
static void key_mark(const ent_engine *e, char out[17]) {
	uint8_t hash[16];
	crypto_generichash(hash, sizeof hash, e->identity_key, 32, (const uint8_t *)"entente.identities.1", 20);
	for (int i = 0; i < 8; i++) {
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	}
}

/* Under another key every customer would be a new one, silently. */
static int check_key(ent_engine *e, ent_error *error) {
	char *used, mark[17];
	if (ent_store_meta_get(e->store, "identity_key", &used, error)) {
		return error->code;
	}
	key_mark(e, mark);
	int status = 0;
	if (used && strcmp(used, mark) != 0) {
		status = ent_error_set(error, ENT_ERR_INVALID, "the identity key is not the one that this store was made with");
		ent_error_todo(error, "put the old key back, or move the store away and run again: the sources are read anew");
	} else if (!used && e->writable) {
		status = ent_store_begin(e->store, error);
		status = status ? status : ent_store_meta_set(e->store, "identity_key", mark, error);
		status = status ? status : ent_store_commit(e->store, error);
	}
	free(used);
	return status;
}

/* ---- state from the store --------------------------------------------------------------------------------------------------- */

static int take_code(void *ctx, uint32_t kind, uint32_t id, const char *text, size_t n) {
	ent_engine *e = ctx;
	(void)kind;
	return ent_intern_put(&e->texts, text, n) == id ? 0 : ENT_ERR_CORRUPT;
}

static int take_input(void *ctx, const ent_input *row) {
	ent_engine *e = ctx;
	while (e->n_inputs <= row->id) { /* ids are dense, but for rows of runs that did not commit */
		ent__input_add(e)->live = 0;
	}
	e->inputs[row->id] = *row;
	e->stored[row->id] = (ent__stored){.exists = true, .position = row->position, .generation = row->generation};
	if (e->writable) {
		ent__known_add(e, row->id);
	}
	return 0;
}

static int open_ledger(ent_engine *e, ent_error *error) {
	ent_segment *segments;
	size_t n;
	char *count;
	if (ent_store_segments_load(e->store, &segments, &n, error)) {
		return error->code;
	}
	int status = ent_ledger_open(&e->ledger, ent_store_folder(e->store), segments, n, e->writable, false, &e->recovery, error);
	free(segments);
	if (!status) {
		status = ent_store_meta_get(e->store, "identities", &count, error);
	}
	if (!status) {
		uint64_t committed = count ? strtoull(count, NULL, 10) : 0;
		free(count);
		status = ent_identities_open(&e->identities, ent_store_folder(e->store), committed, e->writable, error);
	}
	if (!status) {
		status = ent_store_meta_get(e->store, "unsettled", &count, error);
	}
	if (!status) {
		e->unsettled = e->unsettled_saved = count && count[0];
		free(count);
	}
	e->n_inputs = 0;
	if (!status) {
		status = ent_store_inputs_load(e->store, take_input, e, error);
	}
	return status;
}

static void close_ledger(ent_engine *e) {
	ent__index_join(e);
	ent_ledger_close(e->ledger);
	ent_identities_close(e->identities);
	ent_index_destroy(e->index);
	e->ledger = NULL;
	e->identities = NULL;
	e->index = NULL;
}

/* Codes, inputs, identities and ledger. A reader sees one moment, whatever a run beside it commits: what belongs together. */
static int open_moment(ent_engine *e, ent_error *error) {
	int status = e->writable ? 0 : ent_store_begin(e->store, error);
	if (!status) {
		status = ent_store_codes_load(e->store, take_code, e, error);
	}
	if (status == ENT_ERR_CORRUPT && !error->what[0]) {
		ent_error_set(error, ENT_ERR_CORRUPT, "the codes of the store are not in their order");
	}
	e->texts_saved = e->texts.count;
	return status ? status : open_ledger(e, error);
}

static int open_store(ent_engine *e, ent_error *error) {
	enum { MOMENTS = 5 };
	if (ent_store_open(&e->store, e->config->store.s, e->writable ? ENT_STORE_CREATE : ENT_STORE_READ, error)) {
		return error->code;
	}
	int status = e->config->identity_key.s ? key_from_secret(e, error) : key_from_store(e, error);
	status = status ? status : check_key(e, error);
	status = status ? status : open_moment(e, error);
	/* A compaction beside us may have deleted a segment of this moment before it was opened: then a later one will do. */
	for (unsigned i = 1; status == ENT_ERR_CORRUPT && !e->writable && i < MOMENTS; i++) {
		close_ledger(e);
		ent_store_rollback(e->store);
		*error = (ent_error){0};
		status = open_moment(e, error);
	}
	return status;
}

/* What sources declare: a worker can open them only before it is shut in. */
static const char *const *declared_encodings(ent_engine *e) {
	const ent_config *c = e->config;
	const char **names = ent_arena_alloc(&e->arena, (c->n_sources + 1) * sizeof *names);
	size_t n = 0;
	for (size_t i = 0; i < c->n_sources; i++) {
		const ent_yaml_node *node = ent_yaml_get(c->sources[i].decode.options, "encoding");
		size_t k = node && node->kind == ENT_YAML_SCALAR ? 0 : n + 1;
		while (k < n && strcmp(names[k], node->text) != 0) {
			k++;
		}
		if (k == n) {
			names[n++] = ent_arena_printf(&e->arena, "%s", node->text); /* it outlives the configuration */
		}
	}
	names[n] = NULL;
	return names;
}

static ent_pool_settings pool_settings(ent_engine *e) {
	static const ent_sandbox levels[] = {[ENT_CONFIG_SANDBOX_REQUIRED] = ENT_SANDBOX_REQUIRED,
		[ENT_CONFIG_SANDBOX_BEST_EFFORT] = ENT_SANDBOX_BEST_EFFORT, [ENT_CONFIG_SANDBOX_OFF] = ENT_SANDBOX_OFF};
	const ent_config *c = e->config;
	return (ent_pool_settings){.workers = c->workers > 0 ? (unsigned)c->workers : 1, .slots = SLOTS,
		.slot_bytes = (uint32_t)(c->decoders.ring / (SLOTS * SLOT_UNIT)) * SLOT_UNIT,
		.sandbox = levels[c->sandbox], .max_unpacked = UINT64_C(1) << 40, .max_ratio = 1000,
		.memory = (uint64_t)c->decoders.memory, .deadline_ns = (uint64_t)c->decoders.deadline_us * 1000,
		.program = ent_install_program("entente-decoder", &e->arena), .spares = e->spares,
		.encodings = declared_encodings(e)};
}

ent_pool *ent__pool_make(ent_engine *e, unsigned most, const ent_pool_events *events, void *ctx) {
	ent_pool_settings set = pool_settings(e);
	set.workers = most && most < set.workers ? most : set.workers;
	memcpy(set.identity_key, e->identity_key, 32);
	/* rejected records are sealed with a key of their own, derived from the deployment's */
	crypto_generichash(set.seal_key, 32, e->identity_key, 32, (const uint8_t *)"entente.rejects.1", 17);
	return ent_pool_create(&e->loop, &set, events, ctx);
}

static void start_pool(ent_engine *e) {
	e->pool = ent__pool_make(e, 0, &ent__dispatch_events, e);
	e->workers_told[0] = e->workers_told[1] = 0;
}

void ent__pool_renew(ent_engine *e) {
	ent_pool_destroy(e->pool);
	uv_run(&e->loop, UV_RUN_NOWAIT);
	start_pool(e);
}

void ent__now(ent_engine *e) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	e->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Processes that a run needs in any case start while the store is opened, for its syncs are waited for: the decoders, one that
 * looks at documents of unknown formats, and Python, where there is no store yet and so all is to be judged. */
static void start_ahead(ent_engine *e) {
	const ent_config *c = e->config;
	ent_pool_settings set = pool_settings(e);
	unsigned wanted = set.workers < c->n_sources ? set.workers : (unsigned)c->n_sources, looker = 0;
	for (size_t i = 0; i < c->n_sources; i++) {
		looker |= !c->sources[i].decode.name.s;
	}
	if (access(ent_arena_printf(&e->arena, "%s/entente.db", c->store.s), F_OK)) {
		ent__rules_prepare(e);
	}
	e->spares = ent_spares_create(&e->loop, set.program, ent_pool_shared(&set), wanted + looker < 8 ? wanted + looker : 8);
}

int ent_engine_open(ent_engine **out, const ent_config *config, ent_engine_mode mode, ent_errors *errors) {
	static atomic_uint_fast64_t opened;
	ent_error error = {0};
	ent_engine *e = ent_xcalloc(1, sizeof *e);
	*out = NULL;
	e->serial = atomic_fetch_add(&opened, 1) + 1;
	e->config = config;
	e->writable = mode >= ENT_ENGINE_WRITE;
	e->rules_expected = mode == ENT_ENGINE_RUN;
	e->partners_a_worker = 4096;
	ent__now(e);
	uv_loop_init(&e->loop);
	ent_intern_init(&e->texts);
	e->spooled = -1;
	e->cells = ent_cells_create();
	if (sodium_init() < 0) {
		ent_error_set(&error, ENT_ERR_IO, "libsodium cannot start: the system gives no random numbers");
	}
	if (!error.code && mode == ENT_ENGINE_RUN) {
		start_ahead(e);
	}
	if (error.code || (mode != ENT_ENGINE_PLUGINS && open_store(e, &error))) {
		ent_errors_take(errors, &error);
		ent_engine_close(e);
		return error.code;
	}
	int status = ent__partners_open(e, errors);
	status = ent__registers_open(e, errors) ? ENT_ERR_INVALID : status;
	status = status ? status : ent__declared_open(e, errors);
	ent__fold_setup(e);
	if (!status) {
		status = ent__sources_open(e, errors);
	}
	if (!status && ent__sources_states(e, &error)) {
		status = ent_errors_take(errors, &error);
	}
	if (status) {
		ent_engine_close(e);
		return status;
	}
	start_pool(e);
	*out = e;
	return 0;
}

void ent_engine_close(ent_engine *e) {
	if (!e) {
		return;
	}
	ent_error late; /* of a run that ended otherwise: who asked for the commit is gone */
	ent__commit_wait(e, &late);
	ent__warm_close(e);
	ent__rules_close(e);
	ent__left_out_forget(e);
	ent__facts_index_free(e->facts);
	ent__judged_forget(e);
	ent__released_forget(e);
	ent_pool_destroy(e->pool);
	ent_spares_destroy(e->spares);
	ent__sources_close(e);
	ent__partners_close(e);
	ent__pending_free(e->pending);
	ent__inbox_close(e);
	close_ledger(e);
	ent__known_close(e);
	if (e->store && !e->writable) {
		ent_store_rollback(e->store);
	}
	ent__declared_close(e);
	free(e->declared_text);
	ent_store_close(e->store);
	ent_cells_destroy(e->cells);
	ent_cells_destroy(e->spare_cells);
	ent_document_finish(&e->incoming);
	ent_document_finish(&e->current);
	ent_buf_finish(&e->frame);
	ent_buf_finish(&e->body);
	if (e->spooled >= 0) {
		close(e->spooled);
	}
	ent_buf_finish(&e->item);
	free(e->tallies);
	free(e->inputs);
	free(e->input_dirty);
	free(e->stored);
	ent_intern_finish(&e->texts);
	ent_arena_finish(&e->arena);
	while (uv_run(&e->loop, UV_RUN_NOWAIT)) {
	}
	uv_loop_close(&e->loop);
	sodium_memzero(e->identity_key, sizeof e->identity_key);
	free(e);
}

const ent_config *ent_engine_config(const ent_engine *e) { return e->config; }
ent_store *ent_engine_store(ent_engine *e) { return e->store; }
const ent_ledger_report *ent_engine_recovery(const ent_engine *e) { return &e->recovery; }
const char *ent_engine_sandbox(const ent_engine *e, bool rules) { return rules ? e->rules_sandbox : ent_pool_sandbox(e->pool); }
const char *ent_engine_text(const ent_engine *e, uint32_t code) { return ent__text(e, code); }
uint32_t ent_engine_code(const ent_engine *e, const char *text) { return ent_intern_find(&e->texts, text, strlen(text)); }

bool ent_engine_is_partner(const ent_engine *e, const char *id) {
	uint32_t code = ent_engine_code(e, id);
	return code < e->partners_capacity && (e->partners[code].known == 1 || e->partners[code].known == 2);
}

/* ---- ingest ---------------------------------------------------------------------------------------------------------------------- */

static void count_workers(ent_engine *e) {
	unsigned alive, started, died;
	ent_pool_counts(e->pool, &alive, &started, &died);
	e->report->workers_started += started - e->workers_told[0];
	e->report->workers_died += died - e->workers_told[1];
	e->workers_told[0] = started;
	e->workers_told[1] = died;
}

/* What this process found out of inputs that stand as they were: their files need not be looked into again. */
static void keep_looks(ent_engine *e, const ent__stored *looks, const ent_input *rows, uint32_t n) {
	for (uint32_t i = 1; i < n && i < e->n_inputs; i++) {
		ent__stored *s = &e->stored[i];
		if (s->exists && looks[i].exists && s->generation == looks[i].generation && s->position == looks[i].position &&
			e->inputs[i].inode == rows[i].inode) {
			s->looked_ns = looks[i].looked_ns;
			s->changed_ns = looks[i].changed_ns;
			s->seen = looks[i].seen;
			s->declared = looks[i].declared;
		}
	}
}

int ent__roll_back(ent_engine *e, ent_error *error) {
	e->rollbacks++;
	count_workers(e);
	ent_pool_destroy(e->pool);
	e->pool = NULL;
	uv_run(&e->loop, UV_RUN_NOWAIT);
	close_ledger(e);
	ent_cells_reset(e->cells);
	ent__pending_free(e->pending);
	e->pending = NULL;
	for (uint32_t i = 0; i < e->n_sources; i++) {
		ent__source *s = &e->sources[i];
		s->delta = (ent_balance){.source = s->code};
		s->told_records = s->total.records;
		s->told_facts = s->total.received;
		s->parked = s->pending = 0; /* read again below, where a commit told them */
	}
	ent_ledger_report found = e->recovery;
	ent__stored *looks = e->stored;
	ent_input *rows = e->inputs;
	uint32_t n = e->n_inputs;
	e->stored = NULL;
	e->inputs = NULL;
	free(e->input_dirty);
	e->input_dirty = NULL;
	e->inputs_capacity = 0;
	ent__known_close(e);
	int status = open_ledger(e, error);
	e->recovery = found;
	keep_looks(e, looks, rows, n);
	free(looks);
	free(rows);
	if (!status) {
		status = ent__sources_states(e, error);
	}
	if (!status) {
		status = ent__partners_reload(e, error);
	}
	start_pool(e);
	return status;
}

/* Days that an input speaks for, guessed from the first to the last day of its facts, for the kinds of facts that it
 * brought and its decoder declares no days for. Of a source whose facts name their partners it speaks for all of them. */
static void guess_coverage(ent_engine *e, const ent__work *w) {
	const ent_input *x = &e->inputs[w->input];
	if (!x->done || !x->live || x->last_day < x->first_day) {
		return;
	}
	const ent__stored *s = &e->stored[w->input];
	for (unsigned kind = 1; kind < ENT_FACT_COUNT; kind++) {
		if ((s->seen >> kind & 1) && !(s->declared >> kind & 1)) {
			ent_cover c = {.partner = ent__cover_partner(w), .source = w->stream->source->code, .input = w->input, .kind = kind,
				.from = x->first_day, .to = x->last_day + 1, .origin = w->stream->origin};
			ent__pending_cover(e, &c);
		}
	}
}

static void check_balance(ent_engine *e, ent_run_report *report) {
	report->balanced = true;
	for (uint32_t i = 0; i < e->n_sources; i++) {
		const ent__source *s = &e->sources[i];
		const ent_balance *b = &s->total;
		uint64_t facts = b->stored + b->replaced + b->duplicate + b->superseded + b->merged + b->refused;
		ent_place nowhere = {.file = s->config->name.s};
		if (b->records != b->consumed + b->rejected + b->skipped || b->records != s->told_records) {
			report->balanced = false;
			ent_errors_add(&report->imbalances, nowhere, "the decoder or the engine lost a record: keep the store and tell us",
				"records read %llu = consumed %llu + rejected %llu + skipped %llu does not close (the worker counted %llu)",
				(unsigned long long)b->records, (unsigned long long)b->consumed, (unsigned long long)b->rejected,
				(unsigned long long)b->skipped, (unsigned long long)s->told_records);
		}
		if (b->received != facts || b->received != s->told_facts) {
			report->balanced = false;
			ent_errors_add(&report->imbalances, nowhere, "the decoder or the engine lost a fact: keep the store and tell us",
				"facts received %llu = stored %llu + replaced %llu + duplicate %llu + superseded %llu + merged %llu + rejected %llu "
				"does not close (the worker counted %llu)",
				(unsigned long long)b->received, (unsigned long long)b->stored, (unsigned long long)b->replaced,
				(unsigned long long)b->duplicate, (unsigned long long)b->superseded, (unsigned long long)b->merged,
				(unsigned long long)b->refused, (unsigned long long)s->told_facts);
		}
	}
}

static int take_complete(void *ctx, const ent_cover *c) {
	ent__source *s = c->complete ? ent__source_of(ctx, c->source) : NULL;
	if (s) {
		s->completes = true;
	}
	return 0;
}

/* Of which sources must be looked for what complete documents lack? Read once: of others that need not be asked. */
static int read_completes(ent_engine *e, ent_error *error) {
	int status = e->completes_read ? 0 : ent_store_covers_scan(e->store, take_complete, e, error);
	e->completes_read |= !status;
	return status;
}

static bool no_balance(const ent_balance *b) {
	ent_balance none = {.source = b->source, .parked = b->parked, .pending = b->pending};
	return !memcmp(b, &none, sizeof none);
}

/* Has nothing gathered? Then a service commits only so that what has expired is forgotten. */
static bool nothing_new(const ent_engine *e) {
	static const uint64_t hour = UINT64_C(3600000000000);
	bool none = e->what->service && !e->pending && e->texts.count == e->texts_saved && e->unsettled == e->unsettled_saved &&
				!e->fingerprint[0] && !e->declared_text && !e->clear_cells && !ent_ledger_dirty(e->ledger) && uv_hrtime() - e->committed_ns < hour;
	for (uint32_t i = 0; i < e->n_sources && none; i++) {
		none = no_balance(&e->sources[i].delta);
	}
	return none && !memchr(e->input_dirty ? (const void *)e->input_dirty : "", true, e->n_inputs);
}

/* What is left for a later call, of what was planned. */
static void count_left(ent_engine *e, const ent__work *works) {
	for (const ent__work *w = works; w; w = w->next_work) {
		uint64_t size = e->inputs[w->input].size;
		if (!w->finished) {
			ent__count_waiting(w->stream->source, size > w->folded ? size - w->folded : 0, w->file.changed_ns);
		}
	}
}

/* Looks over all documents, so not while there is more to come, unless that takes long. */
static int settle(ent_engine *e, ent_error *error) {
	static const uint64_t long_ago = UINT64_C(10000000000);
	if (!e->unsettled || (e->report->more && uv_hrtime() - e->settled_ns < long_ago)) {
		return 0;
	}
	int status = ent__settle_complete(e, error);
	e->unsettled = false;
	e->settled_ns = uv_hrtime();
	return status;
}

static int run_once(ent_engine *e, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx, ent_error *error) {
	ent__work *works = NULL;
	uint64_t began = uv_hrtime(), committing = e->report->stages.committing;
	int status = ent__rebuild_if_changed(e, error);
	if (!status) {
		status = ent__replay_parked(e, error);
	}
	if (!status) {
		status = read_completes(e, error);
	}
	if (!status) {
		status = ent__plan_make(e, &works, error);
	}
	e->report->stages.preparing += uv_hrtime() - began - (e->report->stages.committing - committing); /* cells folded anew */
	if (!e->what->service) {
		ent_pool_look_end(e->pool); /* what is new is known */
	}
	if (!status) {
		status = ent__dispatch(e, works, progress, ctx, error);
	}
	for (ent__work *w = works; w && !status; w = w->next_work) {
		guess_coverage(e, w);
	}
	if (!status) {
		count_left(e, works);
		status = settle(e, error);
	}
	if (!status && !nothing_new(e)) {
		status = ent__commit(e, error);
		e->committed_ns = uv_hrtime();
	}
	ent_error late;
	if (ent__commit_wait(e, &late) && status >= 0) { /* the run ended, or has to begin again, while a commit was under way */
		*error = late;
		status = late.code;
	}
	while (works) {
		ent__work *next = works->next_work;
		ent__work_free(works);
		works = next;
	}
	return status;
}

void ent_engine_interrupt(ent_engine *e) { atomic_store(&e->interrupted, true); }

int ent_engine_ingest(ent_engine *e, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx, ent_run_report *report,
	ent_error *error) {
	return ent_engine_ingest_some(e, NULL, progress, ctx, report, error);
}

int ent_engine_ingest_some(ent_engine *e, const ent_ingest_what *what, void (*progress)(void *ctx, const ent_ingest_progress *),
	void *ctx, ent_run_report *report, ent_error *error) {
	static const ent_ingest_what everything;
	uint64_t started = uv_hrtime();
	ent_errors plan_errors = {0};
	ent__now(e);
	e->what = what ? what : &everything;
	atomic_store(&e->interrupted, false);
	e->report = report;
	e->plan_errors = &plan_errors;
	e->call++;
	e->began_ns = started;
	report->progress.doing = "reading";
	/* a plugin that cannot be loaded is told, and so is every source that needs it; the others go on */
	ent__plugins_needed(e, &report->errors);
	report->stages.preparing = uv_hrtime() - started;
	int status;
	do {
		report->progress = (ent_ingest_progress){.doing = "reading"};
		report->more = false;
		report->next_settle_us = 0;
		status = run_once(e, progress, ctx, error);
		if (status == ENT__AGAIN) {
			status = ent__roll_back(e, error);
			status = status ? status : ENT__AGAIN;
		}
	} while (status == ENT__AGAIN && !atomic_load(&e->interrupted));
	if (status == ENT__AGAIN) {
		report->more = true;
		status = 0;
	}
	if (plan_errors.total) {
		report->errors = plan_errors;
	}
	if (!status) {
		ent__inbox_tell(e);
		ent__index_keep(e, false);
	}
	check_balance(e, report);
	count_workers(e);
	snprintf(report->sandbox, sizeof report->sandbox, "%s", ent_pool_sandbox(e->pool));
	report->seconds = (double)(uv_hrtime() - started) / 1e9;
	report->changed = report->progress.facts > 0 || report->progress.inputs_done > 0;
	ent_spares_stop(e->spares);
	e->report = NULL;
	e->what = NULL;
	e->plan_errors = NULL;
	return status;
}
