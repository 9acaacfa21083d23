// SPDX-License-Identifier: Apache-2.0
//
// kiosk: sales of an ordering kiosk, a JSON object a line, with their items. A plugin in C++17 against the one C
// header: no exception crosses the border to the host, memory that runs out is ENT_ENOMEM, and nothing is kept between
// documents.
#include <entente/plugin.h>

#include "json.hpp"

#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace {

// What may be set in entente.yaml. The host checks it against this table before create().
enum { OPT_CURRENCY, OPT_PRACTICE };
constexpr ent_option options[] = {
	{"currency", ENT_OPT_STR, 1, nullptr, nullptr, "Currency of the kiosk, ISO 4217.", nullptr},
	{"practice", ENT_OPT_STR, 0, "practice", nullptr, "Station whose sales are not real.", nullptr},
	{},
};

struct Item {
	std::string sku, name, quantity, price;
};

struct Sale {
	std::string number, at, total, mail, station, state;
	std::vector<Item> items;
	bool ping = false;
};

ent_str view(const std::string &s) { return {s.data(), s.size()}; }

// Empty is absent.
ent_str some(const std::string &s) { return s.empty() ? ent_str{} : view(s); }

Sale read_sale(std::string_view line) {
	Sale s;
	json::Reader r(line);
	r.object([&](std::string_view name) {
		std::string *to = name == "sale"      ? &s.number
						  : name == "at"      ? &s.at
						  : name == "total"   ? &s.total
						  : name == "mail"    ? &s.mail
						  : name == "station" ? &s.station
						  : name == "state"   ? &s.state
											  : nullptr;
		if (name == "ping")
			s.ping = true;
		if (r.word("null"))
			return;
		if (to)
			return r.scalar(*to);
		if (name != "items")
			return r.skip();
		r.array([&] {
			Item &item = s.items.emplace_back();
			r.object([&](std::string_view field) {
				std::string *part = field == "sku"        ? &item.sku
									: field == "name"     ? &item.name
									: field == "quantity" ? &item.quantity
									: field == "price"    ? &item.price
														  : nullptr;
				if (part)
					r.scalar(*part);
				else
					r.skip();
			});
		});
	});
	r.end();
	return s;
}

class Kiosk {
  public:
	Kiosk(const ent_host *host, ent_ctx *ctx, const ent_value *v)
		: host_(host), ctx_(ctx), practice_(v[OPT_PRACTICE].s.p ? v[OPT_PRACTICE].s.p : "", v[OPT_PRACTICE].s.n) {
		std::memcpy(currency_, v[OPT_CURRENCY].s.p, 3);
	}

	void begin() { fed_ = 0; }

	// Whole lines. Places count what was fed; the host knows where that stood in the document.
	ent_status feed(std::string_view text) {
		while (!text.empty()) {
			const std::size_t n = text.find('\n');
			const ent_status e = line(text.substr(0, n));
			const std::size_t used = n == std::string_view::npos ? text.size() : n + 1;
			if (e != ENT_OK)
				return e;
			fed_ += used;
			text.remove_prefix(used);
		}
		return ENT_OK;
	}

  private:
	ent_status line(std::string_view text) try {
		const Sale sale = read_sale(text);
		if (sale.ping) {
			host_->skip(ctx_, fed_, "a sign of life");
			return ENT_OK;
		}
		return push(sale);
	} catch (const json::Broken &b) { // one bad record is no error: the file goes on
		return reject(b.why, b.at);
	}

	ent_status reject(const char *why, std::size_t at = 0) {
		host_->reject(ctx_, fed_ + at, ENT_NO_COLUMN, why);
		return ENT_OK;
	}

	ent_head head(ent_str key) const {
		ent_head h{};
		h.place = fed_;
		h.key = key;
		return h;
	}

	ent_status push(const Sale &sale) {
		if (sale.number.empty() || sale.number.size() > 255)
			return reject("no sale number, or one of more than 255 bytes");
		ent_order o{};
		o.h = head(view(sale.number));
		if (host_->time(view(sale.at), nullptr, &o.at))
			return reject("at is no time");
		if (host_->money(view(sale.total), '.', 0, &o.total))
			return reject("total is no amount");
		o.h.has = ENT_HAS_TOTAL;
		std::memcpy(o.currency, currency_, sizeof o.currency);
		if (sale.station == practice_ && !practice_.empty())
			o.status = ENT_ORDER_TEST;
		else if (sale.state == "void")
			o.status = ENT_ORDER_CANCELLED;
		else if (sale.state == "open")
			o.status = ENT_ORDER_PENDING;
		else if (sale.state != "paid") // never guess that it was sold
			return reject("state is none of paid, open, void");
		o.flags = ENT_ORDER_LINES_COMPLETE;
		o.customer = host_->identity(ctx_, ENT_ID_EMAIL, view(sale.mail)); // the address itself goes nowhere
		static constexpr char channel[] = "kiosk";
		o.channel = {channel, sizeof channel - 1};
		// All lines are made before anything is pushed: a sale is taken whole, or rejected whole.
		std::vector<ent_line> lines(sale.items.size());
		std::vector<std::string> keys(sale.items.size());
		for (std::size_t i = 0; i < lines.size(); i++) {
			keys[i] = std::to_string(i + 1);
			if (const char *why = fill(lines[i], sale.items[i], keys[i], o))
				return reject(why);
		}
		const ent_status e = host_->push(ctx_, ENT_ORDER, &o, sizeof o, 1);
		if (e != ENT_OK || lines.empty())
			return e;
		return host_->push(ctx_, ENT_LINE, lines.data(), sizeof lines[0], lines.size());
	}

	// NULL, or what is wrong.
	const char *fill(ent_line &l, const Item &item, const std::string &key, const ent_order &o) const {
		int64_t pieces = 0;
		l.h = head(view(key));
		l.order_key = o.h.key;
		l.sku = some(item.sku);
		l.name = some(item.name);
		if (host_->money(view(item.quantity), '.', 0, &pieces) || pieces % 1000)
			return "quantity is no number of pieces";
		l.quantity = pieces / 1000; // money() counts in millionths, pieces are counted in thousandths
		if (host_->money(view(item.price), '.', 0, &l.unit_price))
			return "price is no amount";
		if (__builtin_mul_overflow(l.unit_price, l.quantity, &l.gross))
			return "quantity times price is out of range";
		l.gross /= 1000;
		l.h.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS;
		return nullptr;
	}

	const ent_host *host_;
	ent_ctx *ctx_;
	std::string practice_;
	char currency_[4] = {};
	uint64_t fed_ = 0;
};

// ---- the border: C functions, and no exception leaves them ----

template <class Work> ent_status guarded(Work work) noexcept {
	try {
		return work();
	} catch (const std::bad_alloc &) {
		return ENT_ENOMEM;
	} catch (...) {
		return ENT_EINTERNAL;
	}
}

ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *v, void **self) {
	if (v[OPT_CURRENCY].s.n != 3) {
		host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three letters", "write EUR");
		return ENT_EOPTION;
	}
	return guarded([&] {
		*self = new Kiosk(host, ctx, v);
		return ENT_OK;
	});
}

ent_status begin(void *self, const ent_doc *) {
	static_cast<Kiosk *>(self)->begin();
	return ENT_OK;
}

ent_status feed(void *self, ent_str bytes, int) {
	return guarded([&] { return static_cast<Kiosk *>(self)->feed({bytes.p ? bytes.p : "", bytes.n}); });
}

ent_status end(void *) { return ENT_OK; } // nothing was held back

void destroy(void *self) { delete static_cast<Kiosk *>(self); }

int probe(ent_str head, const ent_doc *, const char **why) {
	const std::string_view text(head.p ? head.p : "", head.n), first = text.substr(0, text.find('\n'));
	const auto has = [&](std::string_view word) { return first.find(word) != std::string_view::npos; };
	const bool yes = first.substr(0, 1) == "{" && has("\"sale\"") && has("\"station\"") && has("\"items\"");
	*why = yes ? "the first line is a sale of a kiosk" : "the first line has no sale, station and items";
	return yes ? 95 : 0;
}

constexpr ent_decoder make_decoder() {
	ent_decoder d{};
	d.size = sizeof d;
	d.name = "kiosk";
	d.doc = "Sales of an ordering kiosk, a JSON object a line.";
	d.version = "1";
	d.system = "kiosk";
	d.facts = 1u << ENT_ORDER | 1u << ENT_LINE;
	d.frame = ENT_FRAME_JSONL;
	d.options = options;
	d.probe = probe;
	d.create = create;
	d.begin = begin;
	d.feed = feed;
	d.end = end;
	d.destroy = destroy;
	return d;
}

constexpr ent_decoder decoder = make_decoder();
constexpr const ent_decoder *decoders[] = {&decoder, nullptr};

constexpr ent_plugin make_plugin() {
	ent_plugin p{};
	p.magic = ENT_PLUGIN_MAGIC;
	p.major = ENT_PLUGIN_MAJOR;
	p.minor = ENT_PLUGIN_MINOR;
	p.size = sizeof p;
	p.name = "kiosk";
	p.version = "1.0.0";
	p.decoders = decoders;
	return p;
}

} // namespace

const ent_plugin ent_plugin_entry = make_plugin();
