/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts that workers define in their batches, and the codes that they get. Loop thread only. */
#include "engine/internal.h"

#include <string.h>

int ent__take_texts(ent_engine *e, ent_dictionary *d, const ent_slot_batch *slot, ent_error *error) {
	const uint8_t *base = ent_pool_bytes(slot);
	if (d->n == 0) {
		ENT_GROW(d->codes, d->n, d->capacity);
		d->codes[d->n++] = 0;
	}
	/* Most batches define none and need not be walked through. How many there are is compared when the batch is folded. */
	uint64_t left = 0;
	if (slot->bytes >= sizeof(ent_wire_batch)) {
		memcpy(&left, base + offsetof(ent_wire_batch, texts), sizeof left);
	}
	for (uint32_t at = sizeof(ent_wire_batch); left && at + sizeof(ent_wire_item) <= slot->bytes;) {
		ent_wire_item item;
		memcpy(&item, base + at, sizeof item);
		if (item.bytes < sizeof item || item.bytes % 8 || item.bytes > slot->bytes - at) {
			return ent_error_set(error, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: length of an item (%u)", item.bytes);
		}
		if (item.type == ENT_ITEM_TEXT) {
			_Alignas(8) uint8_t own[sizeof(ent_wire_text) + ENT_TEXT_MAX + 8];
			ent_str text;
			if (item.bytes > sizeof own) {
				return ent_error_set(error, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: length of a text (%u)", item.bytes);
			}
			memcpy(own, base + at, item.bytes);
			const ent_wire_text *wire = (const ent_wire_text *)own;
			((ent_wire_item *)own)->bytes = item.bytes;
			if (ent_batch_text(&wire->item, &text, error)) {
				return error->code;
			}
			if (wire->code != d->n) {
				return ent_error_set(error, ENT_ERR_WORKER,
					"the worker wrote nonsense into its ring: dictionary number %u where %u is next", wire->code, d->n);
			}
			ENT_GROW(d->codes, d->n, d->capacity);
			d->codes[d->n++] = ent__code(e, text.p, text.n);
			left--;
		}
		at += item.bytes;
	}
	return 0;
}
