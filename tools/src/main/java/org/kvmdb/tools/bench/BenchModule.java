package org.kvmdb.tools.bench;

import picocli.CommandLine;

/** Benchmarks that are built only on demand, found by ServiceLoader. */
public interface BenchModule {

    /** Adds its command below {@code kvmdb bench}. */
    void addTo(CommandLine bench);
}
