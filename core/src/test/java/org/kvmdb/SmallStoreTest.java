package org.kvmdb;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Tests of a store of the smallest size, in a directory of its own for each. */
abstract class SmallStoreTest {

    static final VolumeOptions TWO_MIB = VolumeOptions.ofSizeBytes(2 << 20);

    @TempDir
    Path directory;

    final Store create() {
        return Store.create(directory.resolve("s"), TestStores.small());
    }

    final Store open() {
        return Store.open(directory.resolve("s"), TestStores.small());
    }
}
