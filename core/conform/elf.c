/* SPDX-License-Identifier: Apache-2.0
 *
 * The dynamic symbols of a shared object, read from the file: no code of it is run, and no tool is asked. Nothing in
 * the file is trusted. 64 bit, of this machine's byte order: others could not be loaded anyway. */
#include "conform/conform.h"

#include <elf.h>
#include <string.h>

typedef struct names {
	const char **list;
	size_t n;
} names;

static bool inside(const ent__elf *f, uint64_t at, uint64_t n) { return at <= f->n && n <= f->n - at; }

static int broken(const char *path, ent_error *e) {
	ent_error_set(e, ENT_ERR_INVALID, "%s is no shared object of this kind of machine, or a damaged one", path);
	return ent_error_todo(e, "build it with `-shared -fPIC`, for this machine");
}

static const Elf64_Shdr *section(const ent__elf *f, const Elf64_Ehdr *h, unsigned i) {
	return i < h->e_shnum ? (const Elf64_Shdr *)(f->bytes + h->e_shoff) + i : NULL;
}

/* A NUL-terminated name in a table of strings; NULL: outside of it. */
static const char *name_at(const ent__elf *f, const Elf64_Shdr *strings, uint64_t at) {
	if (!strings || !inside(f, strings->sh_offset, strings->sh_size) || at >= strings->sh_size) {
		return NULL;
	}
	const char *p = (const char *)f->bytes + strings->sh_offset + at;
	return memchr(p, 0, strings->sh_size - at) ? p : NULL;
}

static void read_symbols(
	const ent__elf *f, const Elf64_Ehdr *h, const Elf64_Shdr *s, names *exported, names *undefined) {
	const Elf64_Shdr *strings = section(f, h, s->sh_link);
	const Elf64_Sym *symbols = (const Elf64_Sym *)(f->bytes + s->sh_offset);
	for (uint64_t i = 1; i < s->sh_size / sizeof *symbols; i++) {
		const Elf64_Sym *y = &symbols[i];
		unsigned bind = ELF64_ST_BIND(y->st_info), seen = ELF64_ST_VISIBILITY(y->st_other);
		const char *name = name_at(f, strings, y->st_name);
		if (!name || !*name || bind == STB_LOCAL) {
			continue;
		}
		if (y->st_shndx == SHN_UNDEF) {
			if (bind != STB_WEAK) {
				undefined->list[undefined->n++] = name;
			}
		} else if (seen == STV_DEFAULT || seen == STV_PROTECTED) {
			/* what the linker or a compiler's runtime adds to each shared object is no choice of its author */
			if (y->st_shndx != SHN_ABS && ELF64_ST_TYPE(y->st_info) != STT_FILE) {
				exported->list[exported->n++] = name;
			}
		}
	}
}

static void read_dynamic(const ent__elf *f, const Elf64_Ehdr *h, const Elf64_Shdr *s, names *needed) {
	const Elf64_Shdr *strings = section(f, h, s->sh_link);
	const Elf64_Dyn *d = (const Elf64_Dyn *)(f->bytes + s->sh_offset);
	for (uint64_t i = 0; i < s->sh_size / sizeof *d && d[i].d_tag != DT_NULL; i++) {
		const char *name = d[i].d_tag == DT_NEEDED ? name_at(f, strings, d[i].d_un.d_val) : NULL;
		if (name) {
			needed->list[needed->n++] = name;
		}
	}
}

int ent__elf_read(ent__elf *f, const char *path, ent_arena *arena, ent_error *e) {
	*f = (ent__elf){0};
	f->bytes = (const unsigned char *)ent__file_read(arena, path, &f->n, e);
	if (!f->bytes) {
		return e->code;
	}
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)f->bytes;
	if (f->n < sizeof *h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
		h->e_ident[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) ||
		h->e_type != ET_DYN || h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff % 8 ||
		!inside(f, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr))) {
		return broken(path, e);
	}
	names exported = {0}, undefined = {0}, needed = {0};
	size_t most = f->n / sizeof(Elf64_Dyn) + 1; /* an entry of either table takes 16 bytes at least */
	most = most < 1u << 20 ? most : 1u << 20;
	exported.list = ent_arena_alloc(arena, most * sizeof(char *));
	undefined.list = ent_arena_alloc(arena, most * sizeof(char *));
	needed.list = ent_arena_alloc(arena, most * sizeof(char *));
	bool any = false;
	for (unsigned i = 0; i < h->e_shnum; i++) {
		const Elf64_Shdr *s = section(f, h, i);
		bool symbols = s->sh_type == SHT_DYNSYM && !any, dynamic = s->sh_type == SHT_DYNAMIC && !needed.n;
		if (!symbols && !dynamic) {
			continue;
		}
		if (!inside(f, s->sh_offset, s->sh_size) || s->sh_offset % 8 || s->sh_size / sizeof(Elf64_Dyn) >= most) {
			return broken(path, e);
		}
		if (symbols) {
			any = true;
			read_symbols(f, h, s, &exported, &undefined);
		} else {
			read_dynamic(f, h, s, &needed);
		}
	}
	if (!any) {
		return broken(path, e);
	}
	f->exported = exported.list;
	f->undefined = undefined.list;
	f->needed = needed.list;
	return 0;
}
