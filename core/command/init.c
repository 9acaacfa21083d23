/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente init`: a project to start from, or the sample project. Never writes over what is there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "command/python.h"

static const char template[] =
	"# Entente: one file describes the project. `entente check` tells everything that is wrong with it, at once;\n"
	"# `entente help --configuration` describes every key.\n"
	"\n"
	"version: 1\n"
	"currency: EUR                # money is reported in this currency\n"
	"store: ./store               # facts, figures and findings; made by the first run; keep it out of version "
	"control\n"
	"\n"
	"# The moment of judgement: now, latest (the last complete day that the data covers: for exports of the past), or "
	"a date.\n"
	"as_of: latest\n"
	"\n"
	"# What figures can be split by, beside their total: channel, category, country, campaign, region, product, "
	"vendor,\n"
	"# device, source. Each one costs time and room.\n"
	"views: [channel]\n"
	"\n"
	"# What a source's word for a channel means. A word that is not named is a channel of its own, its side unknown.\n"
	"# channels:\n"
	"#   shopify: {web: online/web, pos: offline/store, shopify_draft_order: offline/agent}\n"
	"\n"
	"# The organizations that you work with. Partners of one industry are compared with each other.\n"
	"partners:\n"
	"  example:\n"
	"    name: Example Partner\n"
	"    industry: furniture\n"
	"    region: DE\n"
	"    stage: informative       # informative, consulting, negotiation, signed, or words of your own\n"
	"    zone: Europe/Berlin      # days are cut in this time zone\n"
	"    currency: EUR\n"
	"    # signed_on: 2025-01-31\n"
	"    # also:                  # what other systems call this partner\n"
	"    #   shopify: example.myshopify.com\n"
	"    #   seller: [ex-001, ex-002]\n"
	"    # attributes: {account_team: north}\n"
	"\n"
	"# Where their data comes from: one file, all that match a glob, a directory, or stdin; for a service also a pipe,\n"
	"# a webhook or a poll (docs/feeds.md).\n"
	"sources:\n"
	"  example-exports:\n"
	"    partner: example\n"
	"    from: {directory: ./exports/example}\n"
	"    decode: auto             # every plugin looks at the first bytes; or a decoder: `entente plugin list`\n"
	"    # expect: {every: 1d, late_after: 36h}   # silence for longer becomes a finding\n"
	"\n"
	"  # What the shop sends by itself, and what it is asked for, while `entente serve` runs:\n"
	"  # hooks:\n"
	"  #   partner: example\n"
	"  #   from: {webhook: {path: /in/example, sign: {header: X-WC-Webhook-Signature, secrets: [env:HOOK_SECRET]}}}\n"
	"  #   decode: woocommerce\n"
	"  # api:\n"
	"  #   partner: example\n"
	"  #   from: {poll: {url: \"https://shop.example/wp-json/wc/v3/orders\", every: 5m, auth: {bearer: env:SHOP_TOKEN}}}\n"
	"  #   decode: woocommerce\n"
	"\n"
	"  # The partner may stand in the path, in each fact, or in each line of an order:\n"
	"  # dealers:\n"
	"  #   partner: {from: path, pattern: \"drop/{partner}/*.csv*\", unknown: park}   # park, reject or create\n"
	"  #   from: {glob: \"./drop/*/*.csv*\"}\n"
	"\n"
	"# What judges the partners: the rulebook that ships, and folders of your own.\n"
	"rules:\n"
	"  books: [shipped]\n"
	"  # set: {conversion_trails_cohort: {quantile: 0.2}}\n"
	"  # for: {stage: {informative: [informative, homework, red_flags]}}\n"
	"\n"
	"# Journals that people keep. Before this day an absence means nothing; from it on, it means that there was "
	"nothing.\n"
	"# registers: {contacts: {kept_since: 2025-01-01}}\n"
	"\n"
	"# `entente serve` runs all of this day and night, with a page and an API (docs/operating.md); who hears of findings is in\n"
	"# docs/telling.md.\n"
	"# serve: {listen: 127.0.0.1:8080}\n"
	"# service: {judge_every: 10s, log: {level: info}}\n"
	"# tell:\n"
	"#   team: {to: {mail: {server: mail.example.com, from: entente@example.com, to: [team@example.com]}}, for: {severity: medium}}\n";

static int make_folder(ent_call *call, const char *path) {
	ent_error e;
	char *copy = ent_xstrdup(path);
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash) {
			*slash = 0;
		}
		if (mkdir(copy, 0777) < 0 && errno != EEXIST) {
			ent_error_errno(&e, ENT_ERR_IO, "the folder cannot be made");
			ent_error_at(&e, copy, 0, 0);
			free(copy);
			return ent_call_error(call, &e);
		}
		if (!slash) {
			break;
		}
		*slash = '/';
	}
	free(copy);
	return ENT_EXIT_OK;
}

static int write_new(ent_call *call, const char *path, const char *text) {
	ent_error e;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	size_t n = strlen(text);
	if (fd >= 0 && write(fd, text, n) == (ssize_t)n && close(fd) == 0) {
		return ENT_EXIT_OK;
	}
	if (errno == EEXIST) {
		ent_error_set(&e, ENT_ERR_BUSY, "is there already");
		ent_error_todo(&e, "name another folder, or remove it first");
	} else {
		ent_error_errno(&e, ENT_ERR_IO, "cannot be written");
	}
	ent_error_at(&e, path, 0, 0);
	return ent_call_error(call, &e);
}

/* Runs the generator of sample data. What it says goes to standard output, or nowhere with --json. */
static int sample(ent_call *call, const char *folder) {
	ent_error e = {0};
	int status = 0;
	const char *const words[] = {"-m", "entente.sample", folder, NULL};
	ent__python python = {.words = words, .out = call->json ? "/dev/null" : NULL};
	if (ent__python_run(&python, &status, &e)) {
		return ent_call_error(call, &e);
	}
	if (status) {
		ent_error_set(&e, ENT_ERR_WORKER, "the generator of sample data ended with status %d", status);
		ent_error_todo(&e, "what it says stands above");
		return ent_call_error(call, &e);
	}
	return ENT_EXIT_OK;
}

static int run(ent_call *call) {
	const char *folder = ent_call_operand(call, 0);
	bool with_sample = ent_call_has(call, "sample");
	if (!folder) {
		folder = with_sample ? "entente-sample" : ".";
	}
	ent_arena arena = {0};
	const char *file = ent_arena_printf(&arena, "%s/entente.yaml", folder);
	int status = ENT_EXIT_OK;
	if (access(file, F_OK) == 0) {
		ent_error e;
		ent_error_set(&e, ENT_ERR_BUSY, "is there already");
		ent_error_at(&e, file, 0, 0);
		ent_error_todo(&e, "name another folder, or remove it first");
		status = ent_call_error(call, &e);
	} else if (with_sample) {
		status = sample(call, folder);
	} else {
		status = make_folder(call, ent_arena_printf(&arena, "%s/exports/example", folder));
		status = status ? status : write_new(call, file, template);
	}
	if (!status && call->json) {
		ent_json_object(&call->writer);
		ent_json_key(&call->writer, "folder");
		ent_json_text(&call->writer, folder);
		ent_json_key(&call->writer, "configuration");
		ent_json_text(&call->writer, file);
		ent_json_key(&call->writer, "sample");
		ent_json_bool(&call->writer, with_sample);
		ent_json_end(&call->writer);
	} else if (!status && !with_sample) {
		bool here = strcmp(folder, ".") == 0;
		ent_buf_printf(&call->out, "%s is written. Put exports into %s%sexports/example, edit the file, then:\n\n",
			file, here ? "" : folder, here ? "" : "/");
		if (!here) {
			ent_term_printf(&call->term, &call->out, ENT_ACCENT, "  cd %s\n", folder);
		}
		ent_term_text(&call->term, &call->out, ENT_ACCENT, "  entente check\n  entente run\n");
	}
	ent_arena_finish(&arena);
	return status;
}

static const ent_arg args[] = {
	{.name = "sample",
		.type = ENT_ARG_SWITCH,
		.doc = "Write a project with made-up partners and their exports instead."},
	{.name = NULL},
};

static const ent_operand operands[] = {
	{.name = "FOLDER",
		.doc = "Where to write it; made if it is not there. Without it, here (with --sample, ./entente-sample)."},
	{.name = NULL},
};

const ent_command ent_command_init = {
	.name = "init",
	.doc = "Write a project to start from: a commented entente.yaml.",
	.text = "Nothing that is there is written over. `entente init --sample DIR` writes a whole project with sample "
			"data, so that "
			"`entente -c DIR/entente.yaml run` has something to judge.",
	.args = args,
	.operands = operands,
	.run = run,
};
