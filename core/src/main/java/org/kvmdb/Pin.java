package org.kvmdb;

/** Keeps a range of a {@link Volume} or {@link Snapshot} in memory until closed. */
public interface Pin extends AutoCloseable {

    @Override
    void close();
}
