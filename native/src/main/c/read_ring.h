/*
 * A read that can be given up: one io_uring of one entry for each fault slot, by raw system calls, since liburing is
 * not everywhere. Used by whoever owns the slot; nothing is allocated after it was opened.
 *
 * A read that was given up goes on in the kernel and may write into its buffer at any time, so the ring, and whoever
 * owns the buffer, must stay alone until read_ring_is_idle says that it has ended.
 */
#ifndef KVMDB_READ_RING_H
#define KVMDB_READ_RING_H

#include <stdbool.h>
#include <stdint.h>

struct read_ring {
    int fd; /* -1: there is none */
    void *rings;
    void *entries;
    uint64_t rings_bytes;
    uint64_t entries_bytes;
    uint32_t *submission_head, *submission_tail, *submission_array, submission_mask;
    uint32_t *completion_head, *completion_tail, completion_mask;
    void *completions;
    uint64_t reads; /* submitted so far: the number of the last is the name of its completion */
    int file;       /* of the last */
    void *buffer;
    bool in_flight;
};

/* 0 or -errno: not every kernel and container has io_uring. */
int read_ring_open(struct read_ring *ring);
void read_ring_close(struct read_ring *ring);
/* Reads once: returns the bytes, 0 at the end of the file; -ETIMEDOUT when the clock (CLOCK_MONOTONIC) passed the deadline, and
 * the read is then still in flight; -EAGAIN when the kernel did not take it; another -errno. Async-signal-safe. */
int64_t read_ring_read(struct read_ring *ring, int fd, void *buffer, uint32_t bytes, uint64_t position, uint64_t deadline_ns);
/* Begins a read, and does not wait for it. 0, or -EAGAIN when the kernel did not take it. */
int read_ring_submit(struct read_ring *ring, int fd, void *buffer, uint32_t bytes, uint64_t position);
/* Waits for a read that was begun: the same results as those of read_ring_read. */
int64_t read_ring_wait(struct read_ring *ring, uint64_t deadline_ns);
/* Takes the result of the read in flight, if it has ended. */
bool read_ring_take(struct read_ring *ring, int64_t *result);
/* Whether nothing is in flight, having looked for the end of a read that was given up. */
bool read_ring_is_idle(struct read_ring *ring);

#endif
