package org.kvmdb.journal;

/** Receives the entries of a volume's map, in order of their LPN. */
@FunctionalInterface
public interface MappedPageConsumer {
    void accept(long lpn, long ppn);
}
