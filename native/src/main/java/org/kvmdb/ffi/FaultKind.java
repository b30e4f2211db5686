package org.kvmdb.ffi;

/** What latencies are told apart by ({@code enum kvmdb_fault_kind}). */
public enum FaultKind {
    /** A read of a page that was not in memory. */
    READ,
    /** A write to a page that was not in memory. */
    WRITE,
    /** A write to a page that was in memory and clean, or frozen by a commit in flight. */
    FIRST_WRITE,
    /** Not a fault but a part of it: reading, verifying, decompressing and mapping, of faults and loads alike. */
    FILL,
    /** Not a fault: reading, verifying and decompressing pages for a call, without a frame. */
    PASSED_READ
}
