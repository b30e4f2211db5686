package org.kvmdb;

/** What a pinned range will be used for. */
public enum PinMode {
    /** The kernel will read from it. */
    READ,
    /** The kernel will write to it: its pages are dirty from the start. */
    WRITE
}
