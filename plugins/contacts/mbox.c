/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder `mbox`: cuts a mailbox into messages and reads their headers; bodies pass by unseen, but for the line
 * that begins the next message. */
#include "contacts.h"
#include "header.h"
#include "thread.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BODY = 256, SUBJECT_MAX = 1000 };

typedef enum state { BEFORE, HEADER, BODY } state;

typedef struct mbox {
	people people; /* first */
	thread thread;
	state state;
	int blank;         /* the line before was empty */
	uint64_t at, line; /* places: of the next byte, of the line in hand */
	uint64_t message;  /* of the message in hand */
	char *head;        /* lines of the header; a line of the body is gathered behind them */
	size_t head_n, line_n;
	char field[FIELD_MAX], other[FIELD_MAX]; /* scratch */
} mbox;

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	if (end && header__from_line((ent_str){head.p, (size_t)(end - head.p)})) {
		*why = "a line \"From … date\" at its beginning, as mailboxes have it";
		return 95;
	}
	*why = "no line \"From … date\" at its beginning";
	return 0;
}

static void destroy(void *self) {
	mbox *b = self;
	if (!b)
		return;
	people__finish(&b->people);
	thread__finish(&b->thread);
	free(b->head);
	free(b);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	mbox *b = calloc(1, sizeof *b);
	if (!b)
		return ENT_ENOMEM;
	const char *wrong = people__init(&b->people, host, ctx, values);
	b->head = malloc(HEADER_MAX);
	ent_status status = wrong ? contacts__refuse(&b->people, wrong) : b->head ? ENT_OK : ENT_ENOMEM;
	if (status)
		destroy(b);
	else
		*self = b;
	return status;
}

static ent_status begin(void *self, const ent_doc *doc) {
	mbox *b = self;
	(void)doc;
	thread__clear(&b->thread);
	b->state = BEFORE;
	b->blank = 1;
	b->at = b->line = 0;
	b->head_n = b->line_n = 0;
	return ENT_OK;
}

static uint64_t hash_text(const char *s) {
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	while (*s)
		h = (h ^ (unsigned char)*s++) * UINT64_C(0x100000001b3);
	return h | 1;
}

static ent_id id_of(const mbox *b, ent_str text) { return b->people.host->identity(b->people.ctx, ENT_ID_STAFF, text); }

/* Out of office, lists, bounces: nobody wrote them. */
static int automatic(mbox *b, ent_str head) {
	ent_str s = header__field(head, "auto-submitted", 0, b->field);
	if (s.n && !text_is_fold(s, "no"))
		return 1;
	s = header__field(head, "precedence", 0, b->field);
	if (text_is_fold(s, "bulk") || text_is_fold(s, "list") || text_is_fold(s, "junk") || text_is_fold(s, "auto_reply"))
		return 1;
	s = header__field(head, "content-type", 0, b->field);
	return header__field(head, "x-autoreply", 0, b->other).n || header__field(head, "x-autorespond", 0, b->other).n ||
		   header__field(head, "list-id", 0, b->other).n || text_has_fold(s, "multipart/report");
}

/* The message that this one answers: In-Reply-To, else the last of References. */
static int parent_of(mbox *b, ent_str head, ent_id *out) {
	ent_str list = header__field(head, "in-reply-to", 0, b->field), id, last = {NULL, 0};
	if (header__id(&list, &last)) {
		list = header__field(head, "references", 0, b->field);
		while (!header__id(&list, &id))
			last = id;
	}
	if (last.p)
		*out = id_of(b, last);
	return last.p != NULL;
}

static void earliest(ent_time *kept, ent_time t) {
	if (kept->kind == ENT_TIME_NONE || t.v < kept->v)
		*kept = t;
}

static char *texts_of(const mbox *b, const party *who, size_t i, ent_str subject) {
	const struct party_domain *d = &who->domains[i];
	size_t n = strlen(d->name);
	char decoded[SUBJECT_MAX];
	size_t subject_n = b->people.subjects ? sizeof decoded : 0;
	if (subject_n && words__decode(subject, decoded, &subject_n))
		return NULL;
	char *texts = malloc(n + d->with_n + subject_n + 3);
	if (!texts)
		return NULL;
	memcpy(texts, d->name, n + 1);
	memcpy(texts + n + 1, d->with, d->with_n);
	texts[n + 1 + d->with_n] = 0;
	memcpy(texts + n + 2 + d->with_n, decoded, subject_n);
	texts[n + 2 + d->with_n + subject_n] = 0;
	return texts;
}

static ent_status keep(mbox *b, ent_str head, const party *who, ent_time at, uint8_t direction, ent_id id) {
	ent_id parent;
	int reply = parent_of(b, head, &parent), told = 0;
	for (size_t i = 0; i < people__parties(&b->people, who); i++) {
		uint64_t domain = b->people.n_theirs ? 0 : hash_text(who->domains[i].name);
		mail *m = thread__mail(&b->thread, id, domain);
		if (!m)
			return ENT_ENOMEM;
		if (m->at.kind != ENT_TIME_NONE)
			continue;
		told = 1;
		m->at = at;
		m->place = b->message;
		m->direction = direction;
		m->reply = (uint8_t)reply;
		m->texts = texts_of(b, who, i, header__field(head, "subject", 0, b->field));
		if (!m->texts)
			return ENT_ENOMEM;
		if (reply) {
			m = thread__mail(&b->thread, parent, domain);
			if (!m)
				return ENT_ENOMEM;
			earliest(&m->answered[direction], at);
		}
	}
	if (!told)
		b->people.host->skip(b->people.ctx, b->message, "the same message again");
	return ENT_OK;
}

static void recipients(mbox *b, ent_str head, party *who, unsigned *ours) {
	static const char *const fields[] = {"to", "cc", "bcc"};
	ent_str address;
	for (size_t f = 0; f < 3; f++)
		for (unsigned n = 0;; n++) {
			ent_str list = header__field(head, fields[f], n, b->other);
			if (!list.p)
				break;
			while (!header__address(&list, &address))
				people__add(&b->people, who, address, ANSWER_NONE);
		}
	*ours = who->ours;
}

static ent_status message(mbox *b) {
	const ent_host *host = b->people.host;
	ent_str head = {b->head, b->head_n}, from = {NULL, 0}, id;
	char domain[DOMAIN_MAX] = "";
	ent_time at;
	unsigned ours = 0;
	ent_str list = header__field(head, "from", 0, b->field);
	if (!list.n || header__address(&list, &from)) {
		host->reject(b->people.ctx, b->message, ENT_NO_COLUMN, "a message without From:");
		return ENT_OK;
	}
	party *who = calloc(1, sizeof *who);
	if (!who)
		return ENT_ENOMEM;
	side s = people__side(&b->people, from, domain);
	while (s == SIDE_NOBODY && !*domain && !header__address(&list, &from)) /* a name with a comma that nobody quoted */
		s = people__side(&b->people, from, domain);
	if (s == SIDE_THEM)
		people__add(&b->people, who, from, ANSWER_NONE);
	else
		recipients(b, head, who, &ours);
	const char *skip = s == SIDE_NOBODY && domain[0] == 0 ? "a sender without an address"
					   : automatic(b, head)               ? "an automatic message"
					   : s == SIDE_NOBODY                 ? "neither from us nor from them"
					   : !who->n                          ? "from us, and to nobody of the other side"
														  : NULL;
	ent_status status = ENT_OK;
	if (skip) {
		host->skip(b->people.ctx, b->message, skip);
	} else if (header__date(host, header__field(head, "date", 0, b->field), &at)) {
		host->reject(b->people.ctx, b->message, ENT_NO_COLUMN, "a message without a Date: that can be read");
	} else {
		list = header__field(head, "message-id", 0, b->field);
		if (header__id(&list, &id))
			id = head; /* very old, or never sent: the header itself is as good */
		status = keep(b, head, who, at, s == SIDE_US ? 1 : 2, id_of(b, id));
	}
	free(who);
	return status;
}

/* A line is whole, without its end. */
static ent_status take(mbox *b) {
	ent_str line = {b->head + b->head_n, b->line_n};
	ent_status status = ENT_OK;
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	int starts = (b->blank || b->state == HEADER) && header__from_line(line);
	if (b->state == BEFORE && !starts && line.n)
		return b->people.host->error(b->people.ctx, b->line, ENT_NO_COLUMN,
			"no mailbox: it does not begin with a line \"From … date\"", "export as mbox; a single .eml is none");
	if (b->state == HEADER && (starts || !line.n)) {
		status = message(b);
		b->state = BODY;
	}
	if (starts) {
		b->state = HEADER;
		b->message = b->line;
		b->head_n = 0;
	} else if (b->state == HEADER && line.n) {
		b->head_n += line.n;
		if (b->head_n < HEADER_MAX - LINE_MAX_BODY)
			b->head[b->head_n++] = '\n';
	}
	b->blank = !line.n;
	b->line_n = 0;
	return status;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	mbox *b = self;
	const char *p = bytes.p, *end = p + bytes.n;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p), most = HEADER_MAX - LINE_MAX_BODY - b->head_n;
		if (b->state != HEADER)
			b->head_n = 0; /* of a header that was read */
		most = b->state != HEADER ? LINE_MAX_BODY : b->head_n < HEADER_MAX - LINE_MAX_BODY ? most : 0;
		size_t room = b->line_n < most ? most - b->line_n : 0, kept = n < room ? n : room;
		memcpy(b->head + b->head_n + b->line_n, p, kept);
		b->line_n += kept;
		b->at += n + (nl != NULL);
		p = nl ? nl + 1 : end;
		if (nl) {
			ent_status status = take(b);
			if (status)
				return status;
			b->line = b->at;
		}
	}
	if (eof && b->line_n)
		return take(b);
	return ENT_OK;
}

static int by_place(const void *x, const void *y) {
	const mail *a = x, *b = y;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->domain < b->domain ? -1 : a->domain > b->domain;
}

static ent_status end(void *self) {
	mbox *b = self;
	ent_status status = ENT_OK;
	if (b->state == HEADER)
		status = message(b);
	b->state = BEFORE;
	thread *t = &b->thread;
	if (t->n)
		qsort(t->mails, t->n, sizeof *t->mails, by_place);
	for (size_t i = 0; i < t->n && !status; i++) {
		const mail *m = &t->mails[i];
		if (m->at.kind == ENT_TIME_NONE)
			continue;
		char key[KEY_MAX + 1];
		for (int k = 0; k < 16; k++)
			snprintf(key + 2 * k, 3, "%02x", m->id.b[k]);
		const char *with = m->texts + strlen(m->texts) + 1, *subject = with + strlen(with) + 1;
		ent_str domain = {m->texts, strlen(m->texts)};
		int n = 32;
		if (!b->people.n_theirs)
			n += snprintf(key + n, sizeof key - (size_t)n, "/%s", m->texts);
		ent_contact c = {.h = {.place = m->place, .key = {key, (size_t)n}, .partner = domain},
			.at = m->at,
			.kind = m->reply ? TEXT("reply") : TEXT("mail"),
			.with = b->people.identities ? (ent_str){with, strlen(with)} : domain,
			.direction = m->direction};
		const ent_time *answered = &m->answered[m->direction == 1 ? 2 : 1];
		if (answered->kind != ENT_TIME_NONE && answered->v >= m->at.v) /* else one of the clocks is wrong */
			c.answered_at = *answered;
		if (*subject)
			c.subject = (ent_str){subject, strlen(subject)};
		status = b->people.host->push(b->people.ctx, ENT_CONTACT, &c, sizeof c, 1);
	}
	thread__clear(t);
	return status;
}

const ent_decoder contacts__mbox = {
	.size = sizeof(ent_decoder),
	.name = "mbox",
	.doc =
		"Mails with people of other domains and when they were answered, from mailboxes (mbox); bodies are not read.",
	.version = "1",
	.system = "contacts",
	.facts = 1u << ENT_CONTACT,
	.frame = ENT_FRAME_BYTES,
	.options = contacts__options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};
