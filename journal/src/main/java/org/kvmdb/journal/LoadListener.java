package org.kvmdb.journal;

import org.kvmdb.ffi.Ppn;

/** Receives the findings of reading metadata and map nodes. When a journal is opened, it throws at the first damage. */
interface LoadListener {

    /** Takes any damage for a failure. */
    LoadListener STRICT = new LoadListener() {};

    /** A metadata block was read and is right. */
    default void metadata(long lpn, long ppn) {}

    /** A map node cannot be had; when this returns, the node is taken for empty. */
    default void badNode(Version version, int level, long lpn, long ppn, String wrong) {
        throw Corrupt.store("map node of %s, level %d, LPN %d, at %s: %s"
                .formatted(version.name(), level, lpn, Ppn.toString(ppn), wrong));
    }

    /** An entry of a map node cannot be right; when this returns, the entry is taken for a hole. */
    default void badEntry(Version version, int level, long lpn, long ppn, long nodePpn) {
        throw Corrupt.store("map node of %s, level %d, at %s: entry of LPN %d is impossible: %s"
                .formatted(version.name(), level, Ppn.toString(nodePpn), lpn, Ppn.toString(ppn)));
    }
}
