/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core and a decoder worker say to each other over one SOCK_SEQPACKET pair, and the ring they share.
 *
 * The worker is started as `entente-decoder PARENT_PID` with the control socket as descriptor 3 and the ring, a memfd
 * sealed SHRINK|GROW|SEAL, as descriptor 4. Every message is one packet of at most ENT_MSG_MAX bytes: a u32 type, then
 * the fields in the order given here, written with base/buf.h (u8, u32, u64 little-endian; text and bytes as u32 length
 * and bytes; ent_time as its 16 raw bytes). Descriptors travel by SCM_RIGHTS. The lifeline is end-of-file on the
 * socket: a worker that reads it exits. A worker loads one plugin, and decodes for several sources in turn.
 *
 * Flow: HELLO -> READY; LOAD -> LOADED | FAILED; PROBE -> PROBED | FAILED; OPEN -> OPENED | FAILED;
 * DECODE -> BATCH* then DONE | FAILED. One DECODE at a time is under way; the core may send the next one ahead: it waits
 * in the socket. FREE may come at any time and must be taken while the worker waits for room. */
#ifndef ENT_DECODE_PROTOCOL_H
#define ENT_DECODE_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

#define ENT_PROTOCOL_VERSION 3u
#define ENT_MSG_MAX 65536u
#define ENT_LOAD_MAX 256u       /* plugins in one worker */
#define ENT_CONTROL_FD 3
#define ENT_RING_FD 4
#define ENT_RING_MAGIC 0x474e5245u /* "ERNG" */
#define ENT_RING_PAGE 4096u        /* the head; slots follow */

typedef enum ent_msg {
	/* core to worker */
	ENT_MSG_HELLO = 1, /* u32 protocol version, u32 slots, u32 slot_bytes, u8 sandbox (ent_sandbox), u64 max_unpacked
	                      bytes of one document, u32 max_ratio unpacked to packed, u64 memory limit in bytes (0: none),
	                      bytes identity_key (32), bytes seal_key (32) */
	ENT_MSG_LOAD,      /* u32 n, n text paths of plugins, u32 n encodings that may be declared (left out: none), each: text name. The
	                      worker checks owner and mode of files and folders, dlopens them, and answers for each in order:
	                      LOADED, or FAILED with its index as the tag; or FAILED with the tag UINT64_MAX for all. The
	                      encodings are opened before files cannot be any more. Once; a worker of several plugins
	                      describes them and probes, and decodes nothing */
	ENT_MSG_PROBE,     /* u64 tag, text name; one descriptor: the document */
	ENT_MSG_OPEN,      /* u32 instance (chosen by the core), text decoder, bytes options (config/options_wire.h values),
	                      u8 n of framing options that follow as text key, text value */
	ENT_MSG_DECODE,    /* u64 assignment, u32 instance, text name, text origin, ent_time arrived, ent_time modified,
	                      u64 begin, u64 end (byte range of the packed document; UINT64_MAX: to its end),
	                      u32 n companions, u8 ent_decode_flag (left out: none), u64 readable: bytes of the
	                      document that may be read, whatever its file has (0 or left out: all); 1 + n descriptors */
	ENT_MSG_FREE,      /* u32 n: the n oldest slots that were handed over are free again */
	ENT_MSG_CLOSE,     /* u32 instance: destroy() */
	ENT_MSG_STOP,      /* leave: destroy everything, exit 0 */
	/* worker to core */
	ENT_MSG_READY = 64, /* u32 pid, text sandbox level really reached ("seccomp+landlock 4", "off"); again before LOADED if
	                       less was reached when the plugin was loaded */
	ENT_MSG_LOADED,     /* text plugin, text version, u32 n decoders, each: text name, text doc, text version, text system,
	                       u32 flags (ent_decoder.flags), u64 facts, u32 frame, u8 splittable (rows can be cut into
	                       chunks), bytes options (config/options_wire.h table), u32 n columns, each text
	                       name and aliases ("name|alias|alias"), u8 required */
	ENT_MSG_PROBED,     /* u64 tag, u32 n (decoders of the plugins that were loaded, in order), each: u32 score 0..100, text why */
	ENT_MSG_OPENED,     /* u32 instance */
	ENT_MSG_BATCH,      /* u64 assignment, u64 seq, u32 first slot, u32 number of slots, u32 bytes, u64 begin: where the
	                       first record group of the range really began (as in DONE): the core folds nothing of a
	                       range before it knows that it continues the one before */
	ENT_MSG_DONE,       /* u64 assignment, u64 begin: where the first record group of the range really began,
	                       u64 end: where the next group begins (start of the next chunk), u8 eof: end is the end of the
	                       document, u64 batches, u64 records, u64 consumed, u64 rejected, u64 skipped, u64 facts,
	                       u64 unpacked bytes read, u64 waits: times that the ring was full, u64 waited: nanoseconds until
	                       the core had freed slots, u64 nanoseconds of processor time for this range, text notes ("UTF-16LE, ';'") */
	ENT_MSG_FAILED,     /* u32 about (the ent_msg it answers), u64 tag, instance or assignment, i32 code as u32,
	                       u64 place, u64 line, text column, text what, text todo */
	ENT_MSG_LOG         /* u8 level, text */
} ent_msg;

typedef enum ent_decode_flag {
	ENT_DECODE_EXACT = 1,    /* `begin` is where a record group starts, as the DONE of the range before it said; else look for
	                            one */
	ENT_DECODE_ENVELOPED = 2 /* the lines stand behind envelopes of the inbox, see base/envelope.h */
} ent_decode_flag;

typedef enum ent_sandbox { ENT_SANDBOX_OFF, ENT_SANDBOX_BEST_EFFORT, ENT_SANDBOX_REQUIRED } ent_sandbox;

typedef enum ent_worker_state { ENT_WORKER_IDLE, ENT_WORKER_BUSY, ENT_WORKER_WAITING /* for free slots */ } ent_worker_state;

/* Head of the ring. Written by the worker alone, read by the core for reports only: never for offsets or lengths. */
typedef struct ent_ring_head {
	uint32_t magic, version;
	_Atomic uint64_t assignment;
	_Atomic uint64_t position; /* byte offset in the document that decoding had reached */
	_Atomic uint64_t beat;     /* grows as long as the worker makes progress; a stuck plugin does not move it */
	_Atomic uint32_t state;    /* ent_worker_state */
} ent_ring_head;

#endif
