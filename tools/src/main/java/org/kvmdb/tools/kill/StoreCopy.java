package org.kvmdb.tools.kill;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.MemoryDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A copy of a store in memory, under a directory of its own: what is opened there recovers and changes the copy, and the
 * file stays as it was found. Flushes cost nothing.
 */
final class StoreCopy implements AutoCloseable {

    /** The one file of a store. */
    static final String DATA_FILE = "store.kvmdb";

    private static final int PIECE_BYTES = 256 << 10;

    private final MemoryDevice memory = new MemoryDevice(DATA_FILE);
    private final Path directory;
    private final Devices.Mount mount;

    /** @param directory an empty one, for what an open store puts beside its file */
    StoreCopy(Path store, Path directory) throws IOException {
        this.directory = directory;
        try {
            copy(store.resolve(DATA_FILE));
            Files.createDirectories(directory);
        } catch (IOException | RuntimeException e) {
            memory.close();
            throw e;
        }
        this.mount = Devices.mount(directory, new Source());
    }

    private void copy(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            long sizeBytes = channel.size();
            MemorySegment from = channel.map(FileChannel.MapMode.READ_ONLY, 0, sizeBytes, arena);
            MemorySegment zeros = arena.allocate(PIECE_BYTES);
            for (long at = 0; at < sizeBytes; at += PIECE_BYTES) {
                MemorySegment piece = from.asSlice(at, Math.min(PIECE_BYTES, sizeBytes - at));
                if (piece.mismatch(zeros.asSlice(0, piece.byteSize())) >= 0) {
                    memory.write(at, piece);
                }
            }
            memory.truncate(sizeBytes);
        }
    }

    Path directory() {
        return directory;
    }

    @Override
    public void close() {
        mount.close();
        memory.close();
    }

    private final class Source implements Devices.Source {

        @Override
        public Device create(Path path) {
            return open(path, false);
        }

        @Override
        public Device open(Path path, boolean readOnly) {
            return new KeptDevice(memory);
        }

        @Override
        public boolean exists(Path path) {
            return path.endsWith(DATA_FILE);
        }
    }
}
