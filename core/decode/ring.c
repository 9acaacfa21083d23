/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker's side of the shared ring, see protocol.h: which slots are free. The core frees in the order in which
 * slots were handed over. A batch never wraps: where the slots up to the end of the ring are too few, they are left
 * out. */
#include "decode/worker.h"

#include <sys/mman.h>
#include <sys/stat.h>

int ent__ring_open(ent__ring *r, uint32_t slots, uint32_t slot_bytes, ent_error *e) {
	struct stat st;
	if (slots < 1 || slots > 65536 || slot_bytes < 8192 || slot_bytes % 8 ||
		(uint64_t)slots * slot_bytes > UINT64_C(1) << 34) {
		return ent_error_set(e, ENT_ERR_INVALID, "a ring of %u slots of %u bytes is not possible", slots, slot_bytes);
	}
	size_t bytes = ENT_RING_PAGE + (size_t)slots * slot_bytes;
	if (fstat(ENT_RING_FD, &st) || (uint64_t)st.st_size < bytes) {
		return ent_error_set(e, ENT_ERR_INVALID, "descriptor %d is no ring of %zu bytes", ENT_RING_FD, bytes);
	}
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ENT_RING_FD, 0);
	if (p == MAP_FAILED) {
		return ent_error_errno(e, ENT_ERR_IO, "mapping the ring failed");
	}
	*r = (ent__ring){.head = p, .slots_at = (uint8_t *)p + ENT_RING_PAGE, .slots = slots, .slot_bytes = slot_bytes};
	r->handed = ent_xcalloc(slots, sizeof *r->handed);
	r->head->magic = ENT_RING_MAGIC;
	r->head->version = ENT_PROTOCOL_VERSION;
	return 0;
}

void ent__ring_free(ent__ring *r, uint32_t slots) {
	while (slots && r->handed_n) {
		struct ent__span *s = &r->handed[r->handed_first];
		uint32_t n = s->n < slots ? s->n : slots;
		s->first += n;
		s->n -= n;
		slots -= n;
		if (!s->n) {
			r->handed_first = (r->handed_first + 1) % r->slots;
			r->handed_n--;
		}
	}
}

uint8_t *ent__ring_room(ent__ring *r, uint32_t n) {
	if (!r->handed_n) {
		r->next = r->next + n > r->slots ? 0 : r->next;
	} else {
		uint32_t oldest = r->handed[r->handed_first].first;
		if (r->next > oldest) {
			if (r->next + n > r->slots) {
				if (n > oldest) {
					return NULL;
				}
				r->next = 0;
			}
		} else if (r->next + n > oldest) {
			return NULL;
		}
	}
	return r->next + n > r->slots ? NULL : r->slots_at + (size_t)r->next * r->slot_bytes;
}

uint32_t ent__ring_hand_over(ent__ring *r, uint32_t n) {
	uint32_t first = r->next;
	r->handed[(r->handed_first + r->handed_n) % r->slots] = (struct ent__span){first, n};
	r->handed_n++;
	r->next += n;
	return first;
}
