/* SPDX-License-Identifier: Apache-2.0
 *
 * entente.yaml: what a full one gives, what each fault is answered with, patterns, plugins, and its documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/day.h"
#include "config/config.h"
#include "config/install.h"
#include "config/pattern.h"
#include "config/scalar.h"
#include "entente/plugin.h"

static ent_errors errors;

static ent_config *parse(const char *text) {
	ent_config *config;
	memset(&errors, 0, sizeof errors);
	int status = ent_config_parse(text, strlen(text), "e.yaml", "/home/p", &config, &errors);
	assert_int_equal(status == 0, config != NULL);
	assert_int_equal(status == 0, errors.total == 0);
	return config;
}

static const char full[] =
	"version: 1\n"
	"store: sqlite:./db/\n"
	"currency: EUR\n"
	"as_of: 2025-01-31\n"
	"identity_key: file:keys/identity\n"
	"plugins: [shopify, ./mine/csv.so]\n"
	"views: [channel, country]\n"
	"channels:\n"
	"  shopify: {web: online/web, pos: offline/store}\n"
	"  ga4: {email: unknown/mail}\n"
	"partners:\n"
	"  nordwind: {name: Nordwind GmbH, industry: tools, region: DE, stage: signed, zone: Europe/Berlin, currency: "
	"EUR,\n"
	"             signed_on: 2024-03-01, also: {shopify: nordwind.example, seller: [a-1, a-2]}, attributes: {size: "
	"12}}\n"
	"  brio:\n"
	"sources:\n"
	"  exports:\n"
	"    partner: nordwind\n"
	"    from: {directory: ./exports, settle: 30s, snapshot: \"orders_{year}{month}{day}.csv\"}\n"
	"    expect: {every: 1d, late_after: 36h}\n"
	"  dealers:\n"
	"    partner: {from: path, pattern: \"drop/{partner}/*.csv*\", unknown: create}\n"
	"    from: {glob: \"/in/./drop//*/*.csv*\"}\n"
	"    decode: {csv: {delimiter: \";\"}}\n"
	"    zone: +01:00\n"
	"    keys: shared\n"
	"    origin: analytics\n"
	"  market:\n"
	"    partner: {from: lines, as: seller, unknown: reject, else: brio}\n"
	"    from: {stdin: market.jsonl}\n"
	"    decode: market\n"
	"  rates: {from: {file: rates.csv}, decode: {rates: }}\n"
	"rules:\n"
	"  books: [shipped, ./rules]\n"
	"  set: {conversion_trails_cohort: {quantile: 0.2}}\n"
	"  for: {stage: {informative: [informative, homework], signed: proof}}\n"
	"  import: numpy\n"
	"  deadline: 2s\n"
	"  memory: 512MB\n"
	"registers: {contacts: {kept_since: 2024-01-01}}\n"
	"priors: {conversion_per_second: {p10: 0.03, p50: 0.07, p90: 0.12, source: Deloitte 2020}}\n"
	"workers: 3\n"
	"sandbox: required\n";

static void everything(void **state) {
	(void)state;
	ent_config *c = parse(full);
	assert_non_null(c);
	assert_string_equal(c->store.s, "/home/p/db");
	assert_string_equal(c->currency.s, "EUR");
	assert_int_equal(c->as_of.kind, ENT_AS_OF_DAY);
	assert_int_equal(c->as_of.day, ent_day_of(2025, 1, 31));
	assert_string_equal(c->identity_key.s, "file:/home/p/keys/identity");
	assert_int_equal(c->plugins.n, 2);
	assert_string_equal(c->plugins.v[0].s, "shopify");
	assert_string_equal(c->plugins.v[1].s, "/home/p/mine/csv.so");
	assert_int_equal(c->views, ENT_CONFIG_VIEW_CHANNEL | ENT_CONFIG_VIEW_COUNTRY);
	assert_int_equal(c->n_channels, 3);
	assert_string_equal(c->channels[1].raw.s, "pos");
	assert_string_equal(c->channels[1].side.s, "offline");
	assert_string_equal(c->channels[1].channel.s, "store");
	assert_int_equal(c->n_partners, 2);
	const ent_config_partner *p = ent_config_partner_find(c, "nordwind");
	assert_string_equal(p->name.s, "Nordwind GmbH");
	assert_int_equal(p->zone.at.line, 12);
	assert_int_equal(p->signed_on, ent_day_of(2024, 3, 1));
	assert_int_equal(p->n_also, 3);
	assert_string_equal(p->also[2].system.s, "seller");
	assert_string_equal(p->also[2].value.s, "a-2");
	assert_string_equal(p->attributes[0].value.s, "12");
	const ent_config_partner *brio = ent_config_partner_find(c, "brio");
	assert_string_equal(brio->name.s, "brio");
	assert_string_equal(brio->zone.s, "UTC");
	assert_string_equal(brio->currency.s, "EUR");
	assert_int_equal(brio->signed_on, INT32_MIN);
	assert_null(brio->industry.s);

	const ent_config_source *s = ent_config_source_find(c, "exports");
	assert_int_equal(s->partner.from, ENT_PARTNER_FIXED);
	assert_string_equal(s->partner.fallback.s, "nordwind");
	assert_int_equal(s->from.kind, ENT_FROM_DIRECTORY);
	assert_string_equal(s->from.path.s, "/home/p/exports");
	assert_int_equal(s->from.settle_us, 30000000);
	assert_null(s->decode.name.s);
	assert_null(s->decode.options);
	assert_string_equal(s->zone.s, "partner");
	assert_int_equal(s->origin, -1);
	assert_int_equal(s->late_after_us, INT64_C(36) * 3600 * 1000000);
	s = ent_config_source_find(c, "dealers");
	assert_int_equal(s->partner.from, ENT_PARTNER_PATH);
	assert_int_equal(s->partner.unknown, ENT_UNKNOWN_CREATE);
	assert_string_equal(s->from.path.s, "/in/drop/*/*.csv*");
	assert_string_equal(s->decode.name.s, "csv");
	assert_string_equal(ent_yaml_get(s->decode.options, "delimiter")->text, ";");
	assert_int_equal(s->keys, ENT_KEYS_SHARED);
	assert_int_equal(s->origin, ENT_ORIGIN_ANALYTICS);
	s = ent_config_source_find(c, "market");
	assert_int_equal(s->partner.from, ENT_PARTNER_LINES);
	assert_string_equal(s->partner.as.s, "seller");
	assert_string_equal(s->partner.fallback.s, "brio");
	assert_int_equal(s->from.kind, ENT_FROM_STDIN);
	assert_string_equal(s->from.path.s, "market.jsonl");
	assert_string_equal(s->decode.name.s, "market");
	s = ent_config_source_find(c, "rates");
	assert_int_equal(s->partner.from, ENT_PARTNER_NONE);
	assert_string_equal(s->decode.name.s, "rates");
	assert_null(ent_config_source_find(c, "none"));

	assert_string_equal(c->rules.books.v[0].s, "shipped");
	assert_string_equal(c->rules.books.v[1].s, "/home/p/rules");
	assert_string_equal(c->rules.set[0].rule.s, "conversion_trails_cohort");
	assert_int_equal(c->rules.n_scopes, 2);
	assert_string_equal(c->rules.scopes[1].value.s, "signed");
	assert_string_equal(c->rules.scopes[1].practices.v[0].s, "proof");
	assert_string_equal(c->rules.import.v[0].s, "numpy");
	assert_int_equal(c->rules.deadline_us, 2000000);
	assert_int_equal(c->rules.memory, 512 << 20);
	assert_string_equal(c->registers[0].name.s, "contacts");
	assert_int_equal(c->n_priors, 1);
	assert_string_equal(c->priors[0].name.s, "conversion_per_second");
	assert_string_equal(c->priors[0].p90.s, "0.12");
	assert_string_equal(ent_prior_units[c->priors[0].unit], "ratio");
	assert_string_equal(ent_prior_audiences[c->priors[0].audience], "us");
	assert_string_equal(c->priors[0].source.s, "Deloitte 2020");
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->sandbox, ENT_CONFIG_SANDBOX_REQUIRED);
	ent_config_destroy(c);
}

static void defaults(void **state) {
	(void)state;
	ent_config *c = parse("version: 1\ncurrency: SEK\n");
	assert_non_null(c);
	assert_string_equal(c->store.s, "/home/p/store");
	assert_int_equal(c->as_of.kind, ENT_AS_OF_NOW);
	assert_null(c->identity_key.s);
	assert_int_equal(c->plugins.n, 0);
	assert_int_equal(c->views, ENT_CONFIG_VIEW_CHANNEL);
	assert_int_equal(c->n_partners + c->n_sources + c->n_channels + c->n_registers, 0);
	assert_string_equal(c->rules.books.v[0].s, "shipped");
	assert_int_equal(c->rules.deadline_us, 10000000);
	assert_int_equal(c->rules.memory, 1 << 30);
	assert_true(c->workers >= 1);
	assert_int_equal(c->sandbox, ENT_CONFIG_SANDBOX_BEST_EFFORT);
	ent_config_destroy(c);
	ent_config_destroy(NULL);
}

#define HEAD "version: 1\ncurrency: EUR\n"
#define SOURCE HEAD "sources:\n  s:\n"

static const struct fault {
	const char *text, *expected;
} faults[] = {
	{"currency: EUR\n", "e.yaml:1:1: 'version' is missing; add version: 1"},
	{"version: 2\ncurrency: EUR\n", "e.yaml:1:10: 'version' is out of its range: 2; write 1"},
	{"version: 1\n", "e.yaml:1:1: 'currency' is missing; add currency: EUR"},
	{"version: 1\ncurrency: euro\n",
		"e.yaml:2:11: 'currency' takes three capital letters (ISO 4217), not 'euro'; write for example currency: EUR"},
	{HEAD "partner:\n", "e.yaml:3:1: unknown key 'partner'; did you mean 'partners'?"},
	{HEAD "partners: {a: {industri: x}}\n", "e.yaml:3:16: unknown key 'industri'; did you mean 'industry'?"},
	{HEAD "partners: {a: {zone: Europe/Berlni}}\n",
		"e.yaml:3:22: 'zone' does not know the time zone 'Europe/Berlni'; did you mean 'Europe/Berlin'?"},
	{HEAD "partners: {a: {signed_on: 2025-02-30}}\n",
		"e.yaml:3:27: 'signed_on' takes a date, not '2025-02-30'; write for example signed_on: 2025-01-31"},
	{HEAD "partners: {a: {name: }}\nstore:\nworkers: many\n",
		"e.yaml:5:10: 'workers' takes a whole number, not 'many'; write for example workers: 4"},
	{HEAD "workers: 0\n", "e.yaml:3:10: 'workers' is out of its range: 0; write 1 to 256"},
	{HEAD "partners: {a: {also: {x: k}}, b: {also: {x: [j, k]}}}\n",
		"e.yaml:3:49: 'k' of x is a already; keep one of them; the first is in line 3"},
	{HEAD "partners: {\"a/b\": {}}\n",
		"e.yaml:3:12: 'a/b' cannot be a name in 'partners'; use letters, digits, '_', '-' and '.', "
		"at most 64, first a letter or a digit"},
	{HEAD "partners: [a]\n",
		"e.yaml:3:11: 'partners' takes a map, not a list; write KEY: VALUE lines below it, indented"},
	{HEAD "as_of: yesterday\n",
		"e.yaml:3:8: 'as_of' does not take 'yesterday'; write now, latest or a date like 2025-01-31"},
	{HEAD "views: [chanel]\n", "e.yaml:3:9: 'views' does not take 'chanel'; did you mean 'channel'?"},
	{HEAD "store: postgres://x\n",
		"e.yaml:3:8: 'postgres://x' is no folder for a store; name a folder, for example ./store"},
	{HEAD "identity_key: 0123456789abcdef\n",
		"e.yaml:3:15: 'identity_key' takes a reference, not the secret itself; write where it "
		"is kept: file:PATH, env:NAME or systemd:NAME"},
	{HEAD "channels: {s: {web: web}}\n",
		"e.yaml:3:21: 'web' is no channel; write online/NAME, offline/NAME or unknown/NAME"},
	{HEAD "serve: {listen: 8080}\n",
		"e.yaml:3:17: '8080' is no address to listen on; write for example 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:443"},
	{HEAD "serve: {listen: 0.0.0.0:8080}\n",
		"e.yaml:3:17: '0.0.0.0:8080' can be reached from other machines, and would take tokens without encryption; add tls: "
		"{certificate: PATH, key: file:PATH}, or tls: {terminated: true} if a proxy does it"},
	{HEAD "serve: {tls: {certificate: a.pem}}\n",
		"e.yaml:3:28: 'tls' has a certificate and no key; add key: file:PATH"},
	{HEAD "serve: {tls: {key: abc}}\n",
		"e.yaml:3:20: 'key' takes a reference, not the secret itself; write where it is kept: file:PATH, env:NAME or "
		"systemd:NAME"},
	{HEAD "serve: {rate: 100}\n", "e.yaml:3:15: '100' is no rate; write for example 100/s, 600/m or 5000/h"},
	{HEAD "serve: {hosts: [https://a.example/]}\n",
		"e.yaml:3:17: 'https://a.example/' is no name of a host; write the name alone, for example entente.example.org"},
	{HEAD "registers: {kept_by: {offers: [team]}}\n", "e.yaml:3:13: 'kept_by' is not available in this version; take it out"},
#define PRIOR HEAD "priors:\n  speed: {p10: 0.03, p50: "
	{PRIOR "0.07, p90: 0.12}\n", "e.yaml:4:10: 'source' is missing; add source: VALUE"},
	{PRIOR "some, p90: 0.12, source: me}\n", "e.yaml:4:27: 'p50' takes a number, not 'some'; write for example p50: 0.07"},
	{PRIOR "1., p90: 2, source: me}\n", "e.yaml:4:27: 'p50' takes a number, not '1.'; write for example p50: 0.07"},
	{PRIOR "007, p90: 2, source: me}\n", "e.yaml:4:27: 'p50' takes a number, not '007'; write for example p50: 0.07"},
	{PRIOR "0.12, p90: 0.07, source: me}\n",
		"e.yaml:4:38: the prior 'speed' goes down: p10 0.03, p50 0.12, p90 0.07; write them so that p10 <= p50 <= p90"},
	{PRIOR "0.03, p90: 0.03, source: me}\n",
		"e.yaml:4:38: the prior 'speed' is 0.03 and nothing else, and nobody is that sure; write how far it may lie from that"},
	{PRIOR "0.07, p90: 0.12, unit: euros, source: me}\n",
		"e.yaml:4:50: 'unit' does not take 'euros'; one of: ratio, count, days, seconds, pieces, money"},
	{HEAD "registers: {visits: {fields: {a: {type: txt}}}}\n", "e.yaml:3:41: 'type' does not take 'txt'; did you mean 'text'?"},
	{HEAD "registers: {visits: {audience: all}}\n", "e.yaml:3:32: 'audience' does not take 'all'; one of: both, us, confidential"},
	{HEAD "rules: {memory: 1kB}\n", "e.yaml:3:17: 'memory' is out of its range: 1kB; write 67108864 to 1099511627776"},
	{HEAD "rules: {set: {r: 5}}\n", "e.yaml:3:18: 'r' takes a map, not a single value; write {SETTING: VALUE}"},
	{SOURCE "    decode: csv\n", "e.yaml:5:5: 'from' is missing; add from: {file: PATH}, or glob, directory, stdin, pipe, webhook, poll"},
	{SOURCE "    from: ./x.csv\n",
		"e.yaml:5:11: 'from' takes a map, not a single value; write from: {file: ./x.csv}, or glob, "
		"directory or stdin for file"},
	{SOURCE "    from: {file: a, glob: b}\n",
		"e.yaml:5:11: 'from' names more than one way in; write one of file, glob, directory, stdin, pipe, webhook, poll"},
	{SOURCE "    from: {settle: 3s}\n",
		"e.yaml:5:11: 'from' does not say where the bytes come from; write one of file, glob, directory, stdin, pipe, webhook, poll"},
#define OURS HEAD "partners: {p: {}}\nsources:\n  s:\n"
#define HOOK "    partner: p\n    decode: csv\n    from: {webhook: {path: /in/p, "
	{SOURCE "    from: {kafka: {}}\n",
		"e.yaml:5:12: 'kafka' is not available in this version; take it out; sources are "
		"file, glob, directory, stdin, pipe, webhook and poll"},
	{OURS "    partner: p\n    decode: csv\n    from: {webhook: {path: /in, sign: {header: X-S, secrets: env:S}}}\n",
		"e.yaml:8:28: '/in' is no path for a webhook: they all begin with /in/; write for example /in/nordwind/shopify"},
	{OURS "    partner: p\n    decode: csv\n    from: {webhook: {path: /in/a/../b, sign: {header: X-S, secrets: env:S}}}\n",
		"e.yaml:8:28: '/in/a/../b' cannot be the path of a webhook; use letters, digits, '-', '_', '.' and single slashes"},
	{OURS HOOK "once_by: {header: X-Id}}}\n", "e.yaml:8:21: 'sign' is missing; add sign: {header: …, secrets: […]}"},
	{OURS HOOK "sign: {header: 'X S', secrets: env:S}}}\n",
		"e.yaml:8:50: 'X S' cannot be the name of a header; write for example X-Shopify-Hmac-Sha256"},
	{OURS HOOK "sign: {header: X-S, secrets: [env:S, hush]}}}\n",
		"e.yaml:8:72: 'secrets' takes a reference, not the secret itself; write where it is kept: file:PATH, env:NAME or "
		"systemd:NAME"},
	{OURS HOOK "sign: {header: X-S, secrets: []}}}\n",
		"e.yaml:8:64: 'secrets' is empty: nothing could be genuine; write where it is kept: file:PATH, env:NAME or "
		"systemd:NAME"},
	{OURS HOOK "sign: {header: X-S, form: base32, secrets: env:S}}}\n",
		"e.yaml:8:61: 'form' does not take 'base32'; did you mean 'base64'?"},
	{OURS "    partner: {from: fact}\n    decode: csv\n    from: {webhook: {path: /in/p, sign: {header: X, secrets: env:S}}}\n",
		"e.yaml:6:14: a webhook is one partner's: its path and its secret say whose; write partner: ID"},
	{OURS "    partner: p\n    from: {webhook: {path: /in/p, sign: {header: X, secrets: env:S}}}\n",
		"e.yaml:7:21: a webhook has no file whose first bytes could tell the format; name the decoder in decode:"},
	{OURS HOOK "sign: {header: X, secrets: env:S}}}\n  t:\n" HOOK "sign: {header: X, secrets: env:S}}}\n",
		"e.yaml:12:28: two sources listen at /in/p; give each source a path of its own"},
	{SOURCE "    from: {file: a, snapshot: a.csv}\n",
		"e.yaml:5:31: 'snapshot' has no {year}; put {year} where it stands in the path"},
	{SOURCE "    from: {file: a}\n    decode: {a: , b: }\n",
		"e.yaml:6:13: 'decode' names 2 decoders, not one; write decode: {NAME: {OPTION: VALUE}}"},
	{SOURCE "    from: {file: a}\n    decode: {auto: {}}\n",
		"e.yaml:6:14: 'auto' takes no options; write decode: auto, or name the decoder whose options these are"},
	{SOURCE "    from: {file: a}\n    partner: brio\npartners: {brioo: {}}\n",
		"e.yaml:6:14: there is no partner 'brio'; did you mean 'brioo'?"},
	{SOURCE "    from: {file: a}\n    partner: {from: path}\n",
		"e.yaml:6:14: 'from: path' needs a pattern; add for example pattern: \"drop/{partner}/*.csv\""},
	{SOURCE "    from: {file: a}\n    partner: {from: path, pattern: \"{part\"}\n",
		"e.yaml:6:36: 'pattern' is no pattern: there is a '{' without its '}'; write for example "
		"\"drop/{partner}/{year}-{month}-*.csv\""},
	{SOURCE "    from: {file: a}\n    partner: {from: fact, pattern: \"{partner}\"}\n",
		"e.yaml:6:36: 'pattern' belongs to 'from: path' only; take it out, or write from: path"},
	{SOURCE "    from: {file: a}\n    expect: {late_after: 1d}\n", "e.yaml:6:13: 'every' is missing; add every: VALUE"},
	{SOURCE "    from: {stdin: a}\n  t: {from: {stdin: b}}\n",
		"e.yaml:6:21: standard input is read by two sources; keep one of them"},
	{"- a\n", "e.yaml:1:1: 'e.yaml' takes a map, not a list; write version: 1 and so on, as `entente init` does"},
};

static void each_fault(void **state) {
	(void)state;
	char line[2048];
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		assert_null(parse(faults[i].text));
		assert_string_equal(ent_error_text(&errors.e[0], line, sizeof line), faults[i].expected);
		assert_int_equal(errors.total, 1);
	}
}

static void all_at_once(void **state) {
	(void)state;
	assert_null(parse("version: 1\ncurrency: x\nworkers: y\nnothing: z\npath: ${ENT_T_UNSET}\nsources: {s: {}}\n"));
	assert_int_equal(errors.total, 6); /* `path` is unknown, too */
	ent_buf many = {0};
	ent_buf_printf(&many, HEAD);
	for (int i = 0; i < 30; i++) {
		ent_buf_printf(&many, "nothing%d: 1\n", i);
	}
	ent_buf_u8(&many, 0);
	assert_null(parse((char *)many.data));
	assert_int_equal(errors.total, 30);
	assert_int_equal(errors.n, ENT_ERRORS_KEPT);
	ent_buf_finish(&many);
}

static void files(void **state) {
	(void)state;
	char folder[] = "/tmp/ent_config_XXXXXX", path[96], store[192], line[2048];
	ent_config *c;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/entente.yaml", folder);
	memset(&errors, 0, sizeof errors);
	assert_int_equal(ent_config_load(path, &c, &errors), ENT_ERR_NOTFOUND);
	snprintf(store, sizeof store, "%s: cannot be read: No such file or directory", path);
	assert_memory_equal(ent_error_text(&errors.e[0], line, sizeof line), store, strlen(store));
	memset(&errors, 0, sizeof errors);
	assert_int_equal(ent_config_load(folder, &c, &errors), ENT_ERR_INVALID);
	FILE *file = fopen(path, "w");
	fputs(HEAD, file);
	fclose(file);
	memset(&errors, 0, sizeof errors);
	assert_int_equal(ent_config_load(path, &c, &errors), 0);
	snprintf(store, sizeof store, "%s/store", folder);
	assert_string_equal(c->store.s, store);
	assert_string_equal(c->file, path);
	ent_config_destroy(c);
	unlink(path);
	rmdir(folder);
}

static void patterns(void **state) {
	(void)state;
	ent_match m;
	int64_t us;
	assert_true(ent_pattern_match("drop/{partner}/{year}-{month}/*.csv*", "/data/drop/acme/2024-03/x.csv.gz", &m));
	assert_int_equal(ent_match_get(&m, "partner").n, 4);
	assert_memory_equal(ent_match_get(&m, "partner").p, "acme", 4);
	assert_true(ent_match_time(&m, &us));
	assert_int_equal(us, ent_day_of(2024, 3, 1) * ENT_US_PER_DAY);
	assert_null(ent_match_get(&m, "none").p);
	assert_true(ent_pattern_match("events_{year}{month}{day}.json", "/a/events_20240229.json", &m));
	assert_true(ent_match_time(&m, &us));
	assert_int_equal(us, ent_day_of(2024, 2, 29) * ENT_US_PER_DAY);
	assert_true(ent_pattern_match("{year}{month}{day}", "/a/20230229", &m));
	assert_false(ent_match_time(&m, &us));
	assert_false(ent_pattern_match("events_{year}.json", "/a/events_202.json", NULL));
	assert_false(ent_pattern_match("in/{partner}.csv", "/a/in/b/c.csv", NULL)); /* a name holds no slash */
	assert_false(ent_pattern_match("in/{partner}.csv", "/a/in/.csv", NULL));    /* nor is it empty */
	assert_false(ent_pattern_match("in/{partner}.csv", "/a/main/b.csv", NULL)); /* whole folders */
	assert_true(ent_pattern_match("./in/{partner}.csv", "/a/in/b.csv", NULL));
	assert_true(ent_pattern_match("in/**/{partner}-?.csv", "/a/in/b/c/d-e-f.csv", &m));
	assert_memory_equal(ent_match_get(&m, "partner").p, "d-e", 3);
	assert_false(ent_pattern_match("/in/{partner}", "/a/in/b", NULL));
	assert_true(ent_pattern_match("/a/in/{partner}", "/a/in/b", NULL));
	assert_true(ent_pattern_has("a/{year}", "year"));
	assert_false(ent_pattern_has("a/{years}", "year"));
	assert_non_null(ent_pattern_fault("a}"));
	assert_non_null(ent_pattern_fault("{}"));
	assert_non_null(ent_pattern_fault("{a}{a}"));
	assert_non_null(ent_pattern_fault("{A}"));
	assert_non_null(ent_pattern_fault(""));
	/* a pattern made to take forever ends */
	char path[200] = "/";
	memset(path + 1, 'a', 180);
	assert_false(ent_pattern_match("*a*a*a*a*a*a*a*a*a*a*a*a*b", path, NULL));
}

static void small_values(void **state) {
	(void)state;
	int64_t v;
	char text[32];
	assert_true(ent_duration_parse("4w", &v));
	assert_int_equal(v, INT64_C(28) * 86400 * 1000000);
	assert_true(ent_duration_parse("500ms", &v));
	assert_int_equal(v, 500000);
	assert_true(ent_duration_parse("0", &v));
	assert_false(ent_duration_parse("5", &v));
	assert_false(ent_duration_parse("-5s", &v));
	assert_false(ent_duration_parse("1.5h", &v));
	assert_false(ent_duration_parse("99999999999999w", &v));
	assert_string_equal(ent_duration_text(INT64_C(36) * 3600 * 1000000, text), "36h");
	assert_string_equal(ent_duration_text(0, text), "0");
	assert_true(ent_size_parse("2GB", &v));
	assert_int_equal(v, INT64_C(2) << 30);
	assert_true(ent_size_parse("64kb", &v));
	assert_true(ent_size_parse("7", &v));
	assert_false(ent_size_parse("9999999TB", &v) && v < 0);
	assert_false(ent_int_parse("1 ", &v));
	assert_false(ent_int_parse("9223372036854775808", &v));
}

static void plugins(void **state) {
	(void)state;
	char folder[] = "/tmp/ent_plugins_XXXXXX", path[96];
	ent_arena arena = {0};
	ent_error e;
	const ent_plugin_file *list;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/plugins", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/plugins/ent_t_shop.so", folder);
	fclose(fopen(path, "w"));
	assert_string_equal(ent_plugin_find("ent_t_shop", folder, &arena, &e), path);
	assert_string_equal(ent_plugin_find(path, folder, &arena, &e), path);
	assert_null(ent_plugin_find("ent_t_shpo", folder, &arena, &e));
	assert_string_equal(e.todo, "did you mean 'ent_t_shop'?");
	assert_null(ent_plugin_find("utterly-different", folder, &arena, &e));
	assert_non_null(strstr(e.todo, "/plugins"));
	assert_null(ent_plugin_find("./no/such.so", folder, &arena, &e));
	size_t n = ent_plugin_list(folder, &arena, &list), found = 0;
	for (size_t i = 0; i < n; i++) {
		found += strcmp(list[i].name, "ent_t_shop") == 0;
		assert_true(i == 0 || strcmp(list[i - 1].name, list[i].name) < 0);
	}
	assert_int_equal(found, 1);
	unlink(path);
	snprintf(path, sizeof path, "%s/plugins", folder);
	rmdir(path);
	rmdir(folder);
	ent_arena_finish(&arena);
}

static void documentation(void **state) {
	(void)state;
	ent_buf made = {0};
	ent_config_docs(&made);
	FILE *file = fopen(ENTENTE_SOURCE_DIR "/docs/configuration.md", "rb");
	assert_non_null(file);
	char *kept = calloc(1, made.n + 2);
	size_t n = fread(kept, 1, made.n + 1, file);
	fclose(file);
	/* differs: entente help --configuration > docs/configuration.md */
	assert_int_equal(n, made.n);
	assert_memory_equal(kept, made.data, n);
	free(kept);
	ent_buf_finish(&made);
}

/* A whole configuration, altered: taken or refused with an error, never a crash. The seed is fixed. */
static void altered(void **state) {
	(void)state;
	static const char put[] = "{}[]:,-#'\"&*!|>%@`$\n\t ~0az\x01\x80\xff";
	uint32_t seed = 7;
	char text[sizeof full];
	for (int round = 0; round < 1500; round++) {
		memcpy(text, full, sizeof full);
		for (int change = 0; change <= round % 4; change++) {
			seed = seed * 1664525u + 1013904223u;
			size_t at = (seed >> 8) % (sizeof full - 1);
			seed = seed * 1664525u + 1013904223u;
			text[at] = put[(seed >> 8) % (sizeof put - 1)];
		}
		size_t n = round % 5 ? sizeof full - 1 : (seed >> 8) % sizeof full;
		ent_config *config;
		memset(&errors, 0, sizeof errors);
		int status = ent_config_parse(text, n, "e.yaml", "/home/p", &config, &errors);
		assert_int_equal(status == 0, config != NULL);
		assert_int_equal(status == 0, errors.total == 0);
		ent_config_destroy(config);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(defaults),
		cmocka_unit_test(each_fault),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(files),
		cmocka_unit_test(patterns),
		cmocka_unit_test(small_values),
		cmocka_unit_test(plugins),
		cmocka_unit_test(documentation),
		cmocka_unit_test(altered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
