/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine share. Loop thread only. */
#ifndef ENT_ENGINE_INTERNAL_H
#define ENT_ENGINE_INTERNAL_H

#include <stdatomic.h>

#include "base/intern.h"
#include "base/zone.h"
#include "engine/beside.h"
#include "engine/engine.h"
#include "facts/batch.h"
#include "facts/document.h"
#include "facts/ledger.h"
#include "metrics/custom.h"
#include "metrics/fold.h"
#include "transport/files.h"

/* A record of the store that is no fact: partners that the data brought (created or parked). */
#define ENT__RECORD_PARTNER 100u

typedef struct ent__source ent__source;

/* A source read by one decoder: what the workers know as an instance. */
typedef struct ent__stream {
	ent__source *source;
	const ent_decoder_info *decoder;
	uint32_t instance;
	uint32_t system; /* code */
	uint8_t origin;  /* ent_origin of its orders, visits, carts */
	bool restates;
	ent_buf options; /* serialized values */
	const char *framing[16];
	uint32_t *partner_cache; /* by raw code: partner + 1 */
	uint32_t partner_cache_n;
	uint64_t bytes_left, bytes_done, keys; /* of this run: packed bytes of its documents, and the keys that they brought */
	struct ent__stream *next;
} ent__stream;

struct ent__source {
	const ent_config_source *config;
	uint32_t code; /* of its name */
	ent_zone *zone; /* of times without offset; NULL: the partner's */
	ent__stream *streams;
	uint32_t fixed; /* code of the partner, 0 none */
	uint32_t also;  /* code of `as`, 0: the stream's system */
	ent_balance delta; /* since the last commit */
	ent_balance total; /* of this run, for the report */
	uint64_t parked, pending; /* documents now: of a word without a partner, without their header */
	/* as the last plan and dispatch left it, see ent_source_standing */
	uint32_t files_waiting, files_young;
	uint64_t bytes_waiting;
	int64_t waiting_since_us;
	/* what failed: aside.c */
	struct ent__aside **aside; /* by name */
	size_t n_aside, aside_capacity;
	uint64_t worker_deaths;
	unsigned failed_in_row;
	int64_t paused_until_us;
	char *paused_why;
	uint64_t given; /* bytes, of late: who was given least is served first */
	bool completes; /* it has documents that are complete for their days */
	uint64_t told_records, told_facts; /* what the workers said they handed over, to be held against it */
};

/* File of a plugin. */
typedef struct ent__plugin_file {
	const char *name, *path; /* without folder and ".so" */
	uint64_t inode, size, mtime_ns; /* when it was listed */
	const ent_plugin_info *info; /* NULL: not described, or it cannot be */
	bool tried, wanted;
} ent__plugin_file;

/* Those of the configuration, or all that are found. In the engine's arena. */
typedef struct ent__plugins {
	ent__plugin_file *files;
	size_t n_files;
	bool listed;
	const ent_plugin_info **v; /* described, in the order of the files */
	size_t n;
} ent__plugins;

/* A partner as the engine sees it; index: code. */
typedef struct ent__member {
	uint8_t known;  /* 1 configured, 2 created from data, 3 parked */
	const ent_config_partner *config;
	ent_zone *zone; /* NULL: UTC */
} ent__member;

/* What the store has of an input: the compare of its compare-and-set. */
typedef struct ent__stored {
	bool exists;
	uint64_t position;
	uint32_t generation;
	/* When its file was found to be what was read, by its sums, in this process, and the kernel's time of its last change; 0:
	 * not looked at so far. */
	int64_t looked_ns, changed_ns;
	uint64_t beside; /* stamp of its companions then */
	uint32_t slice_next; /* another input of its slice */
	bool in_slice;
	/* Kinds of facts that came of it in this process, and whose days the decoder declared: 1 << kind. It may take several calls
	 * to its end. */
	uint32_t seen, declared;
	uint32_t before; /* planned and not begun: the generation before it, and */
	bool replaces;   /* whether it comes in its place */
} ent__stored;

/* known.c */
typedef struct ent__known {
	struct ent__known_slot {
		uint64_t hash;
		uint32_t id; /* 0: free */
	} *slots;
	uint32_t n, mask;
} ent__known;
enum { ENT__KNOWN = 4 };

/* An input of this run beside its row. */
typedef struct ent__work ent__work;

struct ent_engine {
	const ent_config *config;
	uint64_t serial;    /* no other engine of this process has it */
	uint64_t rollbacks; /* ent__roll_back was called as often */
	bool writable;
	ent_arena arena;
	uv_loop_t loop;
	ent_store *store;
	ent_ledger *ledger;
	ent_ledger_report recovery;
	ent_identities *identities;
	ent_index *index; /* NULL until it is needed */
	uint64_t index_frames; /* as many does its file speak for */
	struct ent__index_keeping *keeping; /* the thread that writes that file, or NULL */
	ent_intern texts;
	uint32_t texts_saved;
	ent_cells *cells;
	ent_fold fold;
	ent_custom *custom; /* metrics that users declare, as facts are folded; NULL: none */
	struct ent_custom_pack *counted; /* those with which the cells of the store were made; NULL: none */
	char *counted_text;  /* the same, as the store has it */
	char *declared_text; /* to be stored with the next commit in its place; NULL: it stays */
	char *rules_metrics; /* JSON: definitions of the rulebooks that cells are made with; NULL: none */
	bool rules_metrics_told; /* they are to be stored with the next commit */
	ent_zone *utc;
	ent_zone **zones; /* all that were loaded */
	uint32_t n_zones, zones_capacity;
	ent__source *sources;
	uint32_t n_sources, last_source; /* last found */
	ent__member *partners;
	uint32_t partners_capacity;
	ent_intern also;         /* "system\0value" -> number; also_partner[number] */
	uint32_t *also_partner;
	uint32_t also_capacity;
	ent_intern channels;     /* "system\0raw" -> number; channel_code[number] */
	uint32_t *channel_code;
	uint32_t channel_capacity;
	uint32_t *channel_cache; /* by raw code, for the last system */
	uint32_t channel_cache_n, channel_cache_system;
	struct ent_inbox *inbox; /* NULL: there is none */
	bool inbox_own;     /* a run that reads what a service left behind */
	int spooled;        /* standard input, kept in an unnamed file: it cannot be read twice; -1: not yet */
	ent_input *inputs; /* by id; 0 is unused */
	uint32_t n_inputs, inputs_capacity;
	bool *input_dirty;
	ent__stored *stored; /* by id */
	ent__known known[ENT__KNOWN];
	uint64_t began_ns; /* when it did */
	uint64_t committed_ns; /* when an ingest last did */
	uint64_t settled_ns; /* when what complete documents lack was last taken back */
	uint64_t call; /* number of the ingest that is under way */
	bool completes_read; /* the sources know whether they have documents that are complete */
	ent_pool *pool;
	unsigned workers_told[2]; /* of this pool, started and died: as the reports have them so far */
	struct ent_spares *spares; /* of it, until the first ingest is through; NULL: none */
	ent__plugins plugins;
	uint8_t identity_key[32];
	int64_t now_us;
	uint32_t n_instances;
	ent_errors *plan_errors;
	ent_run_report *report;
	const ent_ingest_what *what; /* of this run */
	_Atomic bool interrupted;    /* by another thread */
	/* scratch of the intake */
	ent_document incoming, current;
	ent_buf frame, body, item;
	/* what is to be committed beside cells and ledger */
	struct ent__pending *pending;
	struct ent__generation *committing; /* under way in its thread; NULL: the store is the loop's */
	ent_cells *spare_cells;             /* empty; of the commit before */
	ent_cells_added added;              /* what became of the cells of the last commit */
	struct ent__rules *rules;    /* rules workers; NULL until they are needed */
	bool rules_expected;         /* their worker may start as soon as there is anything to read */
	unsigned rules_kept;         /* how many of them keep the snapshot that `warm` has; 0: none */
	uint32_t partners_a_worker;  /* so many more partners are worth one more worker */
	struct ent__released *released; /* released.c; NULL: not read from the store yet */
	struct ent__found *found;    /* judged.c; NULL: not read from the store yet */
	struct ent__warm *warm;      /* NULL: nothing is kept between judgements */
	struct ent_past *past; /* rules judge a day of it: what they ask for is told as it was known then; NULL: now */
	struct ent__facts_index *facts; /* where the facts of partners lie; NULL until a rule asks for some */
	uint64_t run; /* number of this run, for findings */
	uint64_t last_commit_ns;
	char rules_sandbox[128]; /* that the last rules worker reached */
	ent_rule_tally *tallies;     /* of all rules that this engine has had, also those of books before */
	size_t n_tallies;
	uint64_t rules_saved; /* print of the list of rules that the store has, see generations.c; 0: unknown */
	bool rules_refused;   /* the files of the rules were refused; those that judge are older */
	struct ent__left_out *left_out; /* files of books that ended a rules worker, see left_out.c; may be NULL */
	char rules_print[65]; /* of the files of the rules that were adopted; "": unknown */
	uint32_t stale_instances; /* streams that were let go while workers may hold their instances */
	char judging[65];     /* what the rules are about to rest on, see standing.c; "": nobody asked */
	const struct ent_register *registers; /* in the configuration's memory, see register_own.c */
	bool unsettled;       /* documents came since what complete ones lack was last taken back */
	bool unsettled_saved; /* the same, as the store has it: a run may end between the two */
	bool clear_cells;     /* the next commit clears all cells before it adds */
	char fingerprint[65]; /* to be stored with the next commit, if not empty: of what the cells depend on */
};

/* partners.c */
int ent__partners_open(ent_engine *, ent_errors *errors);
void ent__partners_close(ent_engine *);
/* Forgets partners that the data brought since the last commit. */
int ent__partners_reload(ent_engine *, ent_error *e);
uint32_t ent__code(ent_engine *, const char *p, size_t n);
uint32_t ent__code_of(ent_engine *, const char *text);
const char *ent__text(const ent_engine *, uint32_t code);
/* Partner of a text as a source wrote it. 0: refused (the source says reject). New ones are created or parked. */
uint32_t ent__partner_of(ent_engine *, ent__stream *, uint32_t raw);
/* Partner that `also: {system: value}` names; 0: none. */
uint32_t ent__also(const ent_engine *, const char *system, const char *value, size_t n);
ent__member *ent__partner(ent_engine *, uint32_t code);
/* Zone by name, loaded once. NULL and e set if unknown. */
ent_zone *ent__zone(ent_engine *, const char *name, ent_error *e);
void ent__fold_setup(ent_engine *);

/* Is the word named by any `also:`? */
bool ent__also_any(const ent_engine *, const char *word);

/* replay.c: moves facts of parked words to the partners that they mean now */
int ent__replay_parked(ent_engine *, ent_error *e);

/* rebuild.c: folds the cells anew when what they depend on besides facts has changed */
int ent__rebuild_if_changed(ent_engine *, ent_error *e);

/* register_own.c: the schemas of all registers, anew of the engine's configuration */
int ent__registers_open(ent_engine *, ent_errors *errors);
/* declared.c */
int ent__declared_open(ent_engine *, ent_errors *errors);
void ent__declared_close(ent_engine *);
/* Compiles the definitions of a configuration and those of the rulebooks. */
int ent__declared_compile(ent_engine *, const ent_config *, ent_custom **out, ent_errors *errors);
/* Reads with which metrics the cells were made. */
int ent__declared_load(ent_engine *, ent_error *e);
/* What is compiled, as the store keeps it; malloc'ed. */
char *ent__declared_text(const ent_engine *);
/* Do the rulebooks, as they were loaded last, declare something else than the cells were made with? */
bool ent__declared_differ(const ent_engine *);
/* Those of its configuration and of its rulebooks, as they were loaded last; NULL: none, or they are wrong. */
ent_custom *ent__declared_loaded(ent_engine *);
/* Lets folding know them. */
void ent__declared_fold(ent_engine *);

/* records.c */
/* The record that a document makes, its JSON in `text`, which takes the place of what is there; NULL: without it. */
ent_record ent__record_of(ent_engine *, const ent_document *, const ent_item *head, int32_t day, ent_buf *text);
int ent__record(void *engine, const ent_document *, const ent_item *head, int32_t day, int sign, ent_error *e);

/* index.c. Load comes before each use of the index after a run: it waits for who writes the file. */
int ent__index_load(ent_engine *, ent_error *e);
/* Begins to write the file of the index if enough has changed since it was written; everything is committed. */
void ent__index_keep(ent_engine *, bool always);
void ent__index_join(ent_engine *);

/* intake.c */
/* Takes one document in: ledger, cells, balance. */
int ent__intake(ent_engine *, ent__work *, ent_document *, bool superseded, ent_error *e);
/* Puts a document that changed in place of the one that counts (NULL: none). `entry` may be NULL. */
int ent__put(ent_engine *, ent_index_entry *entry, const ent_document *fresh, ent_error *e);
/* Adds a document to the cells (+1) or takes it back (-1). */
int ent__fold(ent_engine *, const ent_document *, int sign, ent_error *e);
int ent__find(ent_engine *, const ent_document *key, ent_index_entry **entry, ent_document *current, ent_error *e);

/* takeback.c: takes back all items of documents and inputs for which `dead` says true; of documents of one kind only, unless
 * `kind` is 0. */
typedef bool ent__dead(void *ctx, const ent_document *, uint32_t input);
int ent__take_back(ent_engine *, unsigned kind, ent__dead *dead, void *ctx, ent_error *e);

/* complete.c: takes back what a document that is complete for its days lacks, see there. */
int ent__settle_complete(ent_engine *, ent_error *e);

/* streams.c */
int ent__sources_open(ent_engine *, ent_errors *errors);
/* A source of the engine's own (entries of registers), made at first need. */
ent__source *ent__source_own(ent_engine *, const ent_config_source *);
bool ent__source_is_own(const ent_engine *, const ent__source *);
/* Reads how many documents are parked and pending, as the last commit left them. */
int ent__sources_states(ent_engine *, ent_error *e);
void ent__sources_close(ent_engine *);
/* By the code of its name; NULL if the configuration has it no more. */
ent__source *ent__source_of(ent_engine *, uint32_t code);
/* The stream of a source under a decoder; made, and its options checked, at first need. NULL: errors were added. */
ent__stream *ent__stream_of(ent_engine *, ent__source *, const ent_decoder_info *, ent_errors *errors);
/* Describes the plugins without which the sources cannot be read; what is wrong with one of them is an error in `errors`, once. */
void ent__plugins_needed(ent_engine *, ent_errors *errors);
/* Would this configuration have the same ones, their files untouched? */
bool ent__plugins_same(const ent_engine *, const ent_config *fresh);
/* Decoder by name, over all plugins that were described; NULL if there is none. */
const ent_decoder_info *ent__decoder_find(const ent_engine *, const char *name);
const ent_decoder_info *ent__decoder_named(const ent_engine *, const ent_word *, ent_error *e);

/* Adds a row for an input, id next. */
ent_input *ent__input_add(ent_engine *);


/* inputs.c */
struct ent__work {
	ent__stream *stream;
	uint32_t input;   /* id */
	uint32_t partner; /* of what names none: the source's, or that of the path; 0 none */
	char *path;
	int fd;
	bool splittable;
	uint64_t next;     /* where the next chunk nominally starts */
	uint64_t folded;   /* contiguous prefix that is folded */
	struct ent__chunk *chunks, **chunks_end;
	bool all_asked;    /* the last chunk was given out */
	bool partial;      /* part of a chunk is folded: no commit now */
	bool finished, failed;
	bool slice_superseded; /* its slice has an edition of higher grade */
	uint32_t before; /* generation before this one, 0 none */
	bool replaces; /* and all of its facts go when this one comes */
	bool begun;
	bool inbox;     /* it may have grown since, which is no matter: no more of it is read than was durable */
	bool enveloped; /* a log of the inbox */
	struct ent__arrivals *arrivals;
	struct ent__work *next_work;
	struct ent__work *next_waiting; /* in its queue, see dispatch.h */
	unsigned queue;
	ent_file file; /* as it was listed; without its texts */
	ent__beside beside;    /* its companions, */
	uint64_t beside_stamp; /* as they were when it was planned */
	int *beside_fds;       /* open with fd; NULL: none */
};
/* A document that is left for a later call. */
void ent__count_waiting(ent__source *, uint64_t bytes, int64_t since_ns);
int ent__plan_make(ent_engine *, ent__work **works, ent_error *e);
void ent__work_free(ent__work *);
/* For whom its coverage speaks: its partner, or 0 for all whom its facts name. */
uint32_t ent__cover_partner(const ent__work *);

/* grown.c: what lies in the inbox */
int ent__inbox_open(ent_engine *, ent_error *e);
void ent__inbox_close(ent_engine *);
/* In which form the sources want what arrives. */
void ent__inbox_forms(ent_engine *);
/* Appends what is to be read of a source. */
void ent__inbox_plan(ent_engine *, ent__source *, ent__work ***end);
/* Tells the inbox what is committed. */
void ent__inbox_tell(ent_engine *);
bool ent__in_inbox(const ent_input *);
/* When the record at that place arrived; of what is no log, the snapshot time of its document. */
int64_t ent__arrived(const ent_engine *, ent__work *, uint64_t place);
void ent__arrivals_free(struct ent__arrivals *);

/* texts.c: the texts that a batch defines, taken as soon as it is there: batches are folded in the order of their documents, but
 * defined in that of their worker. The worker could change its ring while we look: every length is loaded once. */
int ent__take_texts(ent_engine *, ent_dictionary *, const ent_slot_batch *, ent_error *e);

/* known.c. Rows that a name, a file, a content was read as; NULL: none. Of a name the newest generation, of the others the
 * one that came last. */
ent_input *ent__known_name(const ent_engine *, uint32_t source, const char *name);
ent_input *ent__known_file(const ent_engine *, uint32_t source, uint64_t device, uint64_t inode);
ent_input *ent__known_content(const ent_engine *, uint32_t source, uint64_t content);
/* A row is filled, or has got another name. */
void ent__known_add(ent_engine *, uint32_t id);
/* It is known by now of which slice it is. */
void ent__known_slice(ent_engine *, uint32_t id);
/* All rows of the slice of `x`, one after another. */
ent_input *ent__slice_first(const ent_engine *, const ent_input *x);
ent_input *ent__slice_next(const ent_engine *, const ent_input *);
void ent__known_close(ent_engine *);

/* aside.c */
typedef enum ent__cause {
	ENT__WRONG, /* with the document itself */
	ENT__LATER, /* it could not be opened, or changed meanwhile */
	ENT__DIED   /* workers died of it, or hung */
} ent__cause;
/* It failed. `file` NULL: the source's files could not be listed. */
void ent__aside_put(ent_engine *, ent__source *, const char *name, const ent_file *, ent__cause, const ent_error *why);
/* Is it to be left out of the plan? *again: it failed before and is tried again. */
bool ent__aside_skip(ent_engine *, ent__source *, const ent_file *, bool *again);
/* Was the same said of it before? */
bool ent__aside_told(const ent__source *, const char *name, const ent_error *why);
/* It went well, or is gone. */
void ent__aside_forget(ent__source *, const char *name);
/* Forgets what this call did not list. */
void ent__aside_sweep(const ent_engine *, ent__source *);
void ent__aside_free(ent__source *);
/* The source says the same in another configuration, and so do its plugins: what stands aside stays there. */
void ent__aside_keep(ent__source *now, ent__source *before);
/* Is it quarantined as a whole, and is it tried with one document, after that? */
bool ent__source_paused(ent_engine *, const ent__source *);
bool ent__source_on_trial(const ent_engine *, const ent__source *);
/* Workers died of one of its documents, so that it was given up. */
void ent__source_died(ent_engine *, ent__source *, const ent_error *why);
/* One of its documents was read to its end. */
void ent__source_well(ent__source *);
/* The earlier of two moments, where 0 is none. */
void ent__sooner(int64_t *moment, int64_t us);

/* dispatch.c. ENT__AGAIN: what is not committed has to be thrown away and planned anew, see ent_engine_ingest. */
#define ENT__AGAIN 1
extern const ent_pool_events ent__dispatch_events;
int ent__dispatch(ent_engine *, ent__work *works, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx,
	ent_error *e);

/* judge.c. keep: the workers remember what the rules read, for ent__judge_change. `request` as ENT_RULES_CHANGE has it. */
int ent__judge_whole(ent_engine *, const ent_snapshot_block *, bool keep, ent_judge_report *, ent_error *e);
int ent__judge_change(ent_engine *, const ent_snapshot_block *layer, const ent_buf *request, ent_judge_report *, ent_error *e);
/* engine.c. Fresh workers, by what the configuration says now; none is at work. */
void ent__pool_renew(ent_engine *);
/* A pool of its own on the engine's loop, as the configuration has it; `most` workers at once, 0: as many as configured. */
ent_pool *ent__pool_make(ent_engine *, unsigned most, const ent_pool_events *, void *ctx);
/* The identity key of a store that is not opened. *fresh: there is none yet, and this one is of the moment. */
int ent__identity_key_look(ent_engine *, bool *fresh, ent_error *);
/* The moment, read anew: an engine may stay open for weeks. */
void ent__now(ent_engine *);
/* Back to the last commit (none is under way any more): what was folded since is forgotten, the log is cut to what the store
 * vouches for, and opened anew; the index is gone until it is loaded again. */
int ent__roll_back(ent_engine *, ent_error *e);

/* pending.c */
typedef struct ent__pending ent__pending;
void ent__pending_reject(ent_engine *, const ent_reject *);
/* What rejects that are not committed take in memory: nothing else here grows with the records. */
uint64_t ent__pending_bytes(const ent_engine *);
void ent__pending_cover(ent_engine *, const ent_cover *);
void ent__pending_covers_drop(ent_engine *, uint32_t input);
/* The declared coverage as it will be after the next commit. */
int ent__covers_scan(ent_engine *, ent_cover_visit, void *ctx, ent_error *e);
/* Rejects of a document that came again: those of the new one take their place. */
void ent__pending_rejects_drop(ent_engine *, uint32_t input);
void ent__pending_record(ent_engine *, const ent_record *, bool drop);
/* What a person makes of a finding that is in the store: its `life`. */
void ent__pending_finding(ent_engine *, const ent_finding *);
/* Any thread that has the store; NULL allowed. */
int ent__pending_put(const ent__pending *, const ent_config *, ent_store *, ent_error *e);
/* notices.c: what a person makes of a finding, noted for who is to be told. Any thread that has the store. */
int ent__finding_live(const ent_config *, ent_store *, const ent_finding *, ent_error *e);
void ent__pending_free(ent__pending *);

/* commit.c */
/* Commits all that has gathered, and returns when that is done. */
int ent__commit(ent_engine *, ent_error *e);
/* Lets a thread do it; waits for the one before. Until ent__commit_wait the store is that thread's. */
int ent__commit_begin(ent_engine *, ent_error *e);
/* Waits for the commit that is under way, if there is one: what became of it. */
int ent__commit_wait(ent_engine *, ent_error *e);
/* Would ent__commit_wait return at once? */
bool ent__commit_idle(const ent_engine *);

#endif
