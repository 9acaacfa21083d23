/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists that are shown a page at a time, see command.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/session.h"

ent_page ent_page_of(const ent_call *call, uint64_t otherwise) {
	ent_page page = {.after = ent_call_text(call, "after", NULL)};
	page.limit = (uint64_t)ent_call_number(call, "limit", (int64_t)otherwise);
	page.limit = page.limit ? page.limit : UINT64_MAX;
	page.begun = !page.after;
	return page;
}

bool ent_page_take(ent_page *page, const char *id) {
	page->total++;
	if (!page->begun) {
		page->begun = !strcmp(id, page->after);
		page->total = 0; /* counted from there */
		return false;
	}
	if (page->shown == page->limit) {
		return false;
	}
	page->shown++;
	snprintf(page->last, sizeof page->last, "%s", id);
	return true;
}

int ent_page_end(ent_call *call, const ent_page *page, const char *things) {
	if (!page->begun) {
		return ent_call_unknown(call, "begin again, without --after", "'%s' is none of the list, or no more", page->after);
	}
	if (page->total > page->shown) {
		if (call->session) {
			snprintf(call->session->next, sizeof call->session->next, "%s", page->last);
		}
		ent_call_note(call, "%" PRIu64 " of %" PRIu64 " %s are shown; --after %s goes on", page->shown, page->total, things,
			page->last);
	}
	return ENT_EXIT_OK;
}
