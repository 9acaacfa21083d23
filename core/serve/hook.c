/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks, see hook.h. The path of each is all that a delivery passes of the server's checks: there is no token, and no Host
 * (whoever signs need not know by which name we go). Signatures are over the bytes as they came. */
#include "serve/hook.h"

#include "serve/internal.h"
#include "transport/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ent__hooks {
	ent_inbox *inbox;
	ent_webhooks *now;
	struct MHD_Response *ok; /* one for all */
	ent_hooks_figures figures;
};

int ent_hooks_create(ent_http *h, ent_inbox *inbox, ent_errors *errors) {
	struct ent__hooks *k = ent_xcalloc(1, sizeof *k);
	int status = ent_webhooks_open(&k->now, h->config, errors);
	if (status) {
		free(k);
		return status;
	}
	k->inbox = inbox;
	k->ok = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	h->hooks = k;
	return 0;
}

void ent__hooks_destroy(struct ent__hooks *k) {
	if (k) {
		ent_webhooks_close(k->now);
		MHD_destroy_response(k->ok);
		free(k);
	}
}

int ent__hooks_prepare(const ent_config *config, struct ent_webhooks **out, ent_error *e) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	int status = ent_webhooks_open(out, config, errors);
	if (status && e) {
		*e = errors->e[0];
	}
	free(errors);
	return status;
}

void ent__hooks_take(struct ent__hooks *k, struct ent_webhooks *fresh) {
	ent_webhooks_close(k->now);
	k->now = fresh;
}

static const char *header(void *ctx, const char *name) { return ent_request_header(ctx, name); }

static const ent_webhook *find(const ent_request *r) {
	return ent_webhook_find(r->http->hooks->now, r->target, strlen(r->target));
}

bool ent__hook_begin(ent_request *r, const char *method) {
	const ent_webhook *hook = find(r);
	if (!hook) {
		return false;
	}
	const char *coding = ent_request_header(r, "Content-Encoding");
	r->limit = (int64_t)ent_webhook_limit(hook);
	if (strcmp(method, "POST") != 0) {
		ent_answer_header(r, "Allow", "POST");
		ent_answer_problem(r, 405, "%s takes POST", r->target);
	} else if (coding && strcasecmp(coding, "identity") != 0) {
		ent_answer_header(r, "Accept-Encoding", "identity");
		ent_answer_problem(r, 415, "deliveries are taken as they are, not as %s", coding);
	}
	return true;
}

static void put_off(ent_request *r, int status, const char *what) {
	r->http->hooks->figures.put_off++;
	ent_answer_header(r, "Retry-After", status == 429 ? "5" : "30");
	ent_answer_problem(r, status, "%s", what);
}

static void done(void *ctx, int outcome, const ent_error *e) {
	ent_request *r = ctx;
	int status = ent_webhook_answer(outcome);
	if (ent_request_gone(r)) {
		ent__answer_drop(r);
		return;
	}
	struct ent__hooks *k = r->http->hooks;
	if (status == 200) {
		k->figures.taken += outcome == 0;
		k->figures.repeated += outcome != 0;
		r->shared = true;
		ent__answer(r, 200, k->ok);
	} else if (status == 429 || status == 503) {
		put_off(r, status, e ? e->what : "come again later");
	} else {
		ent_answer_problem(r, status, "%s", e ? e->what : "the delivery cannot be taken");
	}
}

void ent__hook_run(ent_request *r) {
	struct ent__hooks *k = r->http->hooks;
	const ent_webhook *hook = find(r); /* the configuration may be another one by now */
	unsigned wait = 0;
	if (!hook) {
		ent_answer_problem(r, 404, "there is nothing at %s", r->target);
		return;
	}
	if (!ent_webhook_verify(hook, header, r, r->body.data, r->body.n)) {
		k->figures.forged++;
		if (ent__limits_take(r->http->limits, ent__client(r), r->http->config->serve.rate, uv_hrtime(), &wait)) {
			ent_answer_problem(r, 401, "the signature is missing or wrong");
		} else {
			put_off(r, 429, "too many deliveries without a good signature");
		}
		return;
	}
	ent_webhook_put(hook, k->inbox, header, r, r->body.data, r->body.n, done, r);
}

void ent_hooks_figures_read(const ent_http *h, ent_hooks_figures *out) {
	*out = h->hooks ? h->hooks->figures : (ent_hooks_figures){0};
}
