package org.kvmdb;

import java.nio.file.Path;

final class OpenStore {
    private OpenStore() {}

    static Store create(Path directory, StoreOptions options) {
        throw new IllegalStateException("to be assembled");
    }

    static Store open(Path directory, StoreOptions options) {
        throw new IllegalStateException("to be assembled");
    }
}
