/* SPDX-License-Identifier: Apache-2.0
 *
 * A message: the changes that it tells, and how they are worded. Pure functions over what they are given; one thread. */
#ifndef ENT_TELL_MESSAGE_H
#define ENT_TELL_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/zone.h"
#include "config/config.h"
#include "store/notices.h"

enum { ENT__TELL_LISTED = 50 /* changes that a message spells out; the rest is counted */ };

typedef struct ent__message {
	ent_arena arena; /* of all texts */
	char id[40];     /* stable over all tries */
	ent_notice *changes;
	size_t n, capacity;
	uint64_t total;
	unsigned attempts;
	bool test;
} ent__message;

/* Copies a change. */
int ent__message_add(void *ctx, const ent_notice *);
void ent__message_finish(ent__message *);
/* The newest of its changes: it is the time of the message, however often it is tried. */
int64_t ent__message_at(const ent__message *);

/* What a message is for: whose it is, and where its links lead. */
typedef struct ent__letter {
	const ent_config *config;
	const ent_config_tell *target;
	const char *template; /* text of the file, or NULL */
} ent__letter;

/* ---- template.c ---- */

typedef enum ent__form { ENT__FORM_TEXT, ENT__FORM_HTML, ENT__FORM_JSON } ent__form;

/* 0, or ENT_ERR_INVALID and what is wrong with its place in `file`. */
int ent__template_check(const char *template, const char *file, ent_error *e);
void ent__template_render(const char *template, ent__form form, const ent__letter *, const ent__message *, ent_buf *out);
/* The message in a line: "red flag opened: Nordwind: …", "12 changes: 9 opened, 3 cleared". */
void ent__summary(const ent__letter *, const ent__message *, ent_buf *out);
/* As a person reads the first line of a text: no control characters, at most `most` bytes. */
void ent__one_line(const char *text, size_t most, ent_buf *out);
/* 2026-03-31T08:15:00Z */
void ent__instant(int64_t us, char out[32]);
const char *ent__partner_name(const ent_config *, const char *partner);
/* Address of a finding on the page, into out; "" if `serve: {url}` is not set. */
void ent__finding_link(const ent_config *, const ent_notice *, ent_buf *out);

extern const char ent__text_template[], ent__html_template[];

/* ---- what goes over the wire ---- */

/* tell_webhook.c: the body, and its signature: "v1=" and 64 digits. */
void ent__webhook_body(const ent__letter *, const ent__message *, ent_buf *out);
void ent__webhook_sign(const char *secret, size_t n, int64_t seconds, const char *body, size_t body_n, char out[72]);
/* tell_mail.c: the whole mail, lines ended by CR LF. */
void ent__mail(const ent__letter *, const ent__message *, int64_t now_us, ent_buf *out);
/* tell_alertmanager.c: for /api/v2/alerts. */
void ent__alerts(const ent__letter *, const ent__message *, int64_t now_us, ent_buf *out);

/* ---- quiet.c ---- */

/* The least weight (1 low, 2 medium, 3 high) of what may be told now: 0 anything, 4 nothing; *until: when that ends. `zones`: one
 * for each of the target's quiet times. */
unsigned ent__quiet(const ent_config_tell *, ent_zone *const *zones, int64_t now_us, int64_t *until);

#endif
