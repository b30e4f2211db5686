/*
 * What streams are about to need of the log, read in large pieces past the page cache while the pages before it are being
 * filled: a device is at its best with long reads, several at a time, and a processor with few of them.
 *
 * Threads that read ahead begin these reads (read_ahead.c). Whoever fills a page looks here before it reads the device,
 * and decodes blocks where they lie. What is still under way a fault does not wait for, it reads the device itself; a call does.
 * Only with direct reads: others have the kernel's own readahead.
 *
 *  EMPTY -> BUSY -> READING -> BUSY -> READY -> BUSY ...   BUSY is of one thread; the fields change only then
 *
 * Whoever looks at a piece pins it: counted first, then it is looked at whether it is still READY. Who wants to read
 * something else into it makes it BUSY first, and then looks at the pins.
 */
#ifndef KVMDB_READ_STAGE_H
#define KVMDB_READ_STAGE_H

#include "read_ring.h"

#include <stdatomic.h>
#include <stdbool.h>

struct pool;

#define KVMDB_STAGE_BYTES (256u << 10)
#define KVMDB_STAGES_MAX 8

enum { STAGE_EMPTY, STAGE_BUSY, STAGE_READING, STAGE_READY };

/* Bytes [begin, end) of a device. */
struct read_stage {
    _Atomic uint32_t state;
    _Atomic uint32_t pins;
    _Atomic uint32_t waiters; /* for its being BUSY no more */
    _Atomic uint32_t device;
    _Atomic uint64_t begin;
    _Atomic uint64_t end;
    _Atomic uint64_t begun_ns;
    _Atomic bool is_used; /* up to its end */
    uint8_t *bytes;
    struct read_ring ring;
} __attribute__((aligned(128)));

/* What was found, and stays until it is released. */
struct staged_bytes {
    struct read_stage *stage; /* NULL: nothing */
    const uint8_t *bytes;
    uint32_t length;
};

/* The memory that the stages of a cache of that size have; 0: none. */
uint64_t stages_bytes(const struct pool *pool);
/* Makes them of that memory. Without io_uring there are none. */
void stages_open(struct pool *pool, uint8_t *memory);
void stages_close(struct pool *pool);
/* Whether the kernel has nothing to write into them any more. */
bool stages_are_idle(struct pool *pool);
/* Nothing of that device is found any more. */
void stages_forget_device(struct pool *pool, uint32_t device);

/* Begins to read at most KVMDB_STAGE_BYTES of a device, into a stage whose bytes nobody is about to use; or into the oldest. Returns the
 * stage's bit, or 0 where that cannot be. */
uint32_t stage_begin_spare(struct pool *pool, uint32_t device, uint64_t begin, uint64_t end);
uint32_t stage_begin(struct pool *pool, uint32_t device, uint64_t begin, uint64_t end);
/* Waits for those stages to be read, each until the deadline for reads. */
void stages_wait(struct pool *pool, uint32_t stages);

/* Whether anything is under way. */
bool stages_are_coming(const struct pool *pool);
/* Whether what lies at a position is there, or under way. */
bool stages_cover(const struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes);
/* Waits for what lies at a position to be there, if it is under way, until the deadline for reads. */
void stages_await(struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes);

/* Finds what lies at a position, at least so many bytes. Async-signal-safe. */
bool stage_find(struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes, struct staged_bytes *found);
/* So many bytes of it are used now: at its end, it has served. */
void stage_use(const struct staged_bytes *found, uint32_t bytes);
void stage_release(struct staged_bytes *found);

#endif
