// SPDX-License-Identifier: Apache-2.0
//
// Reads one JSON value from left to right: no tree is built, so what nobody asks for costs nothing. What is broken is
// thrown as json::Broken, with its place. No thread, no state outside the reader.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace json {

struct Broken {
	std::size_t at;  // offset in the text
	const char *why; // constant
};

class Reader {
  public:
	explicit Reader(std::string_view text) : text_(text) {}

	std::size_t at() const { return at_; }

	// Calls member(name) for each member; it reads the value, or skip()s it.
	template <class Member> void object(Member member) {
		std::string name;
		expect('{');
		for (bool first = true; !closes('}', first); first = false) {
			string(name);
			expect(':');
			member(std::string_view(name));
		}
	}

	template <class Item> void array(Item item) {
		expect('[');
		for (bool first = true; !closes(']', first); first = false)
			item();
	}

	bool is(char c) { return blanks(), at_ < text_.size() && text_[at_] == c; }

	void string(std::string &out) {
		expect('"');
		out.clear();
		for (char c = next(); c != '"'; c = next()) {
			if (static_cast<unsigned char>(c) < ' ')
				throw Broken{at_ - 1, "a control character in a text"};
			if (c == '\\')
				escape(out);
			else
				out.push_back(c);
		}
	}

	// A number as it is written, or a text.
	void scalar(std::string &out) {
		if (is('"'))
			return string(out);
		const std::size_t from = at_;
		while (at_ < text_.size() && std::string_view("+-.0123456789eE").find(text_[at_]) != std::string_view::npos)
			at_++;
		if (at_ == from)
			throw Broken{from, "a number or a text is expected"};
		out.assign(text_.substr(from, at_ - from));
	}

	void skip(int depth = 0) {
		if (depth > 32)
			throw Broken{at_, "nested too deeply"};
		if (is('{'))
			object([&](std::string_view) { skip(depth + 1); });
		else if (is('['))
			array([&] { skip(depth + 1); });
		else if (!word("true") && !word("false") && !word("null"))
			scalar(skipped_);
	}

	bool word(std::string_view w) {
		blanks();
		if (text_.substr(at_, w.size()) != w)
			return false;
		at_ += w.size();
		return true;
	}

	void end() {
		blanks();
		if (at_ != text_.size())
			throw Broken{at_, "more than one value in a line"};
	}

  private:
	void blanks() {
		while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
			at_++;
	}

	char next() {
		if (at_ == text_.size())
			throw Broken{at_, "the line ends within a value"};
		return text_[at_++];
	}

	void expect(char c) {
		if (!is(c))
			throw Broken{at_, c == '{' ? "an object is expected" : "not JSON"};
		at_++;
	}

	// The end of an object or array, or the comma before its next member.
	bool closes(char c, bool first) {
		if (is(c)) {
			at_++;
			return true;
		}
		if (!first)
			expect(',');
		return false;
	}

	unsigned hex() {
		unsigned v = 0;
		for (int i = 0; i < 4; i++) {
			const char c = next();
			const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
			if (digit == std::string_view::npos)
				throw Broken{at_ - 1, "\\u without four digits"};
			v = v << 4 | static_cast<unsigned>(digit < 16 ? digit : digit - 6);
		}
		return v;
	}

	void escape(std::string &out) {
		static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
		const char c = next();
		if (c != 'u') {
			const std::size_t i = from.find(c);
			if (i == std::string_view::npos)
				throw Broken{at_ - 1, "an escape that JSON does not have"};
			out.push_back(to[i]);
			return;
		}
		unsigned v = hex();
		if (v >= 0xd800 && v < 0xdc00) { // the first half of a character
			const bool half = next() == '\\' && next() == 'u';
			const unsigned low = half ? hex() : 0;
			if (low < 0xdc00 || low >= 0xe000)
				throw Broken{at_, "half a character"};
			v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
		} else if (v >= 0xdc00 && v < 0xe000) {
			throw Broken{at_, "half a character"};
		}
		utf8(out, v);
	}

	static void utf8(std::string &out, unsigned v) {
		if (v < 0x80) {
			out.push_back(static_cast<char>(v));
			return;
		}
		const int more = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
		static constexpr unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
		out.push_back(static_cast<char>(lead[more] | v >> (6 * more)));
		for (int i = more - 1; i >= 0; i--)
			out.push_back(static_cast<char>(0x80 | (v >> (6 * i) & 0x3f)));
	}

	std::string_view text_;
	std::size_t at_ = 0;
	std::string skipped_;
};

} // namespace json
