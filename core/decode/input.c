/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a descriptor and unpacks gzip and zstd, see input.h. One thread; the descriptor is the caller's. */
#include "decode/input.h"
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_PIECE (256u << 10)
#define RATIO_FREE (16u << 20) /* the ratio is not looked at before so much was unpacked: small files may pack well */

int ent_fault_set(ent_fault *f, int code, uint64_t place, const char *todo, const char *format, ...) {
	if (!f) {
		return code;
	}
	memset(f, 0, sizeof *f);
	f->place = place;
	f->e.code = code;
	va_list args;
	va_start(args, format);
	vsnprintf(f->e.what, sizeof f->e.what, format, args);
	va_end(args);
	snprintf(f->e.todo, sizeof f->e.todo, "%s", todo ? todo : "");
	return code;
}

/* Raw bytes of the descriptor. */
static ssize_t read_raw(ent_input *in, void *to, size_t n, ent_fault *f) {
	ssize_t got;
	if (in->limit && n > in->limit - (in->at < in->limit ? in->at : in->limit)) {
		n = in->limit - (in->at < in->limit ? in->at : in->limit);
	}
	do {
		got = in->seekable ? pread(in->fd, to, n, (off_t)in->at) : read(in->fd, to, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return ent_fault_set(
			f, ENT_ERR_IO, in->at, "check the disk and the file", "reading failed: %s", strerror(errno));
	}
	in->at += (uint64_t)got;
	return got;
}

/* The C library's fstat() may ask by newfstatat, which takes paths and is therefore not allowed in the sandbox. */
static int size_of(int fd, struct stat *st) {
#ifdef SYS_fstat
	return (int)syscall(SYS_fstat, fd, st);
#else
	return fstat(fd, st);
#endif
}

int ent_input_open(ent_input *in, int fd, uint64_t max_unpacked, uint32_t max_ratio, ent_fault *f) {
	*in = (ent_input){.fd = fd, .max_unpacked = max_unpacked, .max_ratio = max_ratio, .size = UINT64_MAX};
	struct stat st;
	in->seekable = lseek(fd, 0, SEEK_CUR) >= 0;
	if (in->seekable && !size_of(fd, &st)) {
		in->size = (uint64_t)st.st_size;
	}
	in->packed = ent_xmalloc(PACKED_PIECE);
	while (in->packed_n < 4 && !in->packed_end) { /* a pipe may give less than the magic at once */
		ssize_t got =
			read_raw(in, in->packed + in->packed_n, in->seekable ? 4 - in->packed_n : PACKED_PIECE - in->packed_n, f);
		if (got < 0) {
			return (int)got;
		}
		in->packed_end = got == 0;
		in->packed_n += (size_t)got;
	}
	static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	if (in->packed_n >= 3 && in->packed[0] == 0x1f && in->packed[1] == 0x8b && in->packed[2] == 8) {
		in->packing = ENT_PACKING_GZIP;
		in->gzip = ent_xcalloc(1, sizeof *in->gzip);
		if (inflateInit2(in->gzip, 15 + 16) != Z_OK) {
			free(in->gzip);
			in->gzip = NULL;
			return ent_fault_set(f, ENT_ERR_NOMEM, 0, NULL, "zlib could not start");
		}
	} else if (in->packed_n >= 4 && !memcmp(in->packed, zstd_magic, 4)) {
		in->packing = ENT_PACKING_ZSTD;
		in->zstd = ZSTD_createDCtx();
		if (!in->zstd) {
			return ent_fault_set(f, ENT_ERR_NOMEM, 0, NULL, "zstd could not start");
		}
		ZSTD_DCtx_setParameter(
			in->zstd, ZSTD_d_windowLogMax, 27); /* 128 MiB: what the zstd command accepts by default */
	} else if (in->seekable) {
		ent_input_seek(in, 0);
	}
	return 0;
}

void ent_input_finish(ent_input *in) {
	if (!in) {
		return;
	}
	if (in->gzip) {
		inflateEnd(in->gzip);
		free(in->gzip);
	}
	ZSTD_freeDCtx(in->zstd);
	free(in->packed);
	*in = (ent_input){.fd = -1};
}

void ent_input_limit(ent_input *in, uint64_t size) {
	if (in->seekable) {
		in->limit = size;
		in->size = in->size < size ? in->size : size;
	}
}

void ent_input_seek(ent_input *in, uint64_t offset) {
	in->at = in->unpacked = offset;
	in->packed_n = in->packed_at = 0;
	in->packed_end = false;
}

static int refill(ent_input *in, ent_fault *f) {
	if (in->packed_at < in->packed_n || in->packed_end) {
		return 0;
	}
	ssize_t got = read_raw(in, in->packed, PACKED_PIECE, f);
	if (got < 0) {
		return (int)got;
	}
	in->packed_at = 0;
	in->packed_n = (size_t)got;
	in->packed_end = got == 0;
	return 0;
}

static int truncated(const ent_input *in, const char *what, ent_fault *f) {
	return ent_fault_set(f, ENT_ERR_INVALID, in->unpacked, "fetch the file again: it was cut off",
		"the %s archive ends in the middle, at packed byte %llu", what, (unsigned long long)(in->at));
}

static int damaged(const ent_input *in, const char *what, const char *why, ent_fault *f) {
	return ent_fault_set(f, ENT_ERR_INVALID, in->unpacked, "fetch the file again: it is damaged",
		"the %s archive is damaged near packed byte %llu: %s", what,
		(unsigned long long)(in->at - (in->packed_n - in->packed_at)), why);
}

static ssize_t read_gzip(ent_input *in, void *to, size_t n, ent_fault *f) {
	z_stream *z = in->gzip;
	z->next_out = to;
	z->avail_out = (uInt)n;
	while (z->avail_out == n) {
		int status = refill(in, f);
		if (status) {
			return status;
		}
		if (in->packed_at == in->packed_n) {
			return in->member_open ? truncated(in, "gzip", f) : 0;
		}
		if (!in->member_open) { /* a further member, or the padding of zeros that some tapes and tools leave */
			if (in->packed[in->packed_at] == 0 && in->unpacked) {
				in->packed_at++;
				continue;
			}
			inflateReset(z);
			in->member_open = true;
		}
		z->next_in = in->packed + in->packed_at;
		z->avail_in = (uInt)(in->packed_n - in->packed_at);
		int r = inflate(z, Z_NO_FLUSH);
		in->packed_at = in->packed_n - z->avail_in;
		if (r == Z_STREAM_END) {
			in->member_open = false;
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			return damaged(in, "gzip", z->msg ? z->msg : "not gzip", f);
		}
	}
	return (ssize_t)(n - z->avail_out);
}

static ssize_t read_zstd(ent_input *in, void *to, size_t n, ent_fault *f) {
	ZSTD_outBuffer out = {to, n, 0};
	while (!out.pos) {
		int status = refill(in, f);
		if (status) {
			return status;
		}
		if (in->packed_at == in->packed_n && !in->member_open) {
			return 0;
		}
		ZSTD_inBuffer input = {in->packed, in->packed_n, in->packed_at};
		size_t r = ZSTD_decompressStream(in->zstd, &out, &input);
		if (ZSTD_isError(r)) {
			return damaged(in, "zstd", ZSTD_getErrorName(r), f);
		}
		bool stuck = input.pos == in->packed_at && !out.pos;
		in->packed_at = input.pos;
		in->member_open = r != 0;
		if (stuck && in->packed_end) {
			return in->member_open ? truncated(in, "zstd", f) : 0;
		}
	}
	return (ssize_t)out.pos;
}

ssize_t ent_input_read(ent_input *in, void *to, size_t n, ent_fault *f) {
	ssize_t got;
	if (n > 1u << 30) {
		n = 1u << 30;
	}
	if (in->packing == ENT_PACKING_GZIP) {
		got = read_gzip(in, to, n, f);
	} else if (in->packing == ENT_PACKING_ZSTD) {
		got = read_zstd(in, to, n, f);
	} else if (in->packed_at < in->packed_n) { /* a pipe: what was read to see the magic */
		size_t have = in->packed_n - in->packed_at;
		got = (ssize_t)(have < n ? have : n);
		memcpy(to, in->packed + in->packed_at, (size_t)got);
		in->packed_at += (size_t)got;
	} else {
		got = read_raw(in, to, n, f);
	}
	if (got <= 0) {
		return got;
	}
	in->unpacked += (uint64_t)got;
	if (in->max_unpacked && in->unpacked > in->max_unpacked) {
		return ent_fault_set(f, ENT_ERR_RANGE, in->unpacked,
			"raise max_unpacked of the source if the document is genuine", "the document is larger than %llu bytes",
			(unsigned long long)in->max_unpacked);
	}
	if (in->packing && in->max_ratio && in->unpacked > RATIO_FREE && in->unpacked / in->max_ratio > in->at) {
		return ent_fault_set(f, ENT_ERR_RANGE, in->unpacked, "raise max_ratio of the source if the document is genuine",
			"the archive grows more than %u times while it is unpacked: it looks like a bomb", in->max_ratio);
	}
	return got;
}
