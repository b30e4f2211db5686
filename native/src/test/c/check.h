/* Checks that stop the test program at the first failure and say where and with which values. */
#ifndef KVMDB_CHECK_H
#define KVMDB_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition_) \
    do { \
        if (!(condition_)) { \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition_); \
            _Exit(1); \
        } \
    } while (0)

#define CHECK_COMPARED(actual_, operator_, expected_) \
    do { \
        int64_t a_ = (int64_t)(actual_), e_ = (int64_t)(expected_); \
        if (!(a_ operator_ e_)) { \
            fprintf(stderr, "%s:%d: failed: %s %s %s: %" PRId64 " (0x%" PRIx64 ") against %" PRId64 " (0x%" PRIx64 ")\n", \
                __FILE__, __LINE__, #actual_, #operator_, #expected_, a_, (uint64_t)a_, e_, (uint64_t)e_); \
            _Exit(1); \
        } \
    } while (0)

#define CHECK_EQUAL(actual_, expected_) CHECK_COMPARED(actual_, ==, expected_)
#define CHECK_LESS(actual_, bound_) CHECK_COMPARED(actual_, <, bound_)
#define CHECK_AT_MOST(actual_, bound_) CHECK_COMPARED(actual_, <=, bound_)

/* A test, and the list that the program runs; main.c holds it. */
struct test {
    const char *name;
    void (*run)(void);
};

#endif
