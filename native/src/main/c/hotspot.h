/*
 * Whose code faulted? HotSpot's SIGBUS handler turns a bad access into an InternalError only when it happened in a
 * compiled Java method or in the virtual machine's own unsafe accessors. Anywhere else (stubs such as CRC32's, the C
 * library, a front end's native code) it ends the process, so there the shim lets the access through instead.
 */
#ifndef KVMDB_HOTSPOT_H
#define KVMDB_HOTSPOT_H

#include <stdbool.h>
#include <stdint.h>

/* Looks for libjvm in this process; without it no program counter is Java's. Not async-signal-safe. */
void hotspot_open(void);
/* Async-signal-safe. */
bool hotspot_handles_fault_at(uint64_t program_counter);

#endif
