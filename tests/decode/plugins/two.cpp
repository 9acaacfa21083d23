/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin in C++ with two decoders that use what C++ brings along (containers, streams, exceptions): it has to work
 * within the sandbox, where there is no locale to be read. */
#include "entente/plugin.h"

#include <map>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

struct decoder {
	const ent_host *host;
	ent_ctx *ctx;
	std::map<std::string, int> seen;
};

ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *, void **self) {
	auto *d = new (std::nothrow) decoder{host, ctx, {}};
	*self = d;
	return d ? ENT_OK : ENT_ENOMEM;
}

ent_status begin(void *self, const ent_doc *) {
	static_cast<decoder *>(self)->seen.clear();
	return ENT_OK;
}

ent_status row(void *self, const ent_row *r) {
	auto *d = static_cast<decoder *>(self);
	try {
		std::string name(r->cell[0].p, r->cell[0].n);
		d->seen[name]++;
		std::ostringstream text;
		text << name << " " << 1.5 << " " << d->seen[name];
		if (name == "throw") {
			throw std::runtime_error("thrown");
		}
		std::string key = text.str();
		ent_observation o = {};
		o.h.place = r->place;
		o.h.key = {key.data(), key.size()};
		o.from.kind = ENT_TIME_DATE;
		o.from.offset_min = ENT_NO_OFFSET;
		return d->host->push(d->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
	} catch (const std::exception &e) {
		d->host->reject(d->ctx, r->place, 0, e.what());
		return ENT_OK;
	}
}

ent_status end(void *) { return ENT_OK; }
void destroy(void *self) { delete static_cast<decoder *>(self); }

const ent_column columns[] = {{"Name", nullptr, 1}, {nullptr, nullptr, 0}};

constexpr ent_decoder make(const char *name) {
	ent_decoder d = {};
	d.size = sizeof(ent_decoder);
	d.name = name;
	d.doc = "For tests.";
	d.version = "1";
	d.system = "test";
	d.facts = 1u << ENT_OBSERVATION;
	d.frame = ENT_FRAME_DELIMITED;
	d.columns = columns;
	d.create = create;
	d.begin = begin;
	d.row = row;
	d.end = end;
	d.destroy = destroy;
	return d;
}

const ent_decoder first = make("first"), second = make("second");
const ent_decoder *const decoders[] = {&first, &second, nullptr};

} // namespace

extern const ent_plugin ent_plugin_entry = {
	ENT_PLUGIN_MAGIC, ENT_PLUGIN_MAJOR, ENT_PLUGIN_MINOR, sizeof(ent_plugin), "two", "1.0", decoders, nullptr};
