package org.kvmdb;

/** The use of a pinned range. */
public enum PinMode {
    /** The kernel will read from it. */
    READ,
    /** The kernel will write to it. Its pages are dirty from the start. */
    WRITE
}
