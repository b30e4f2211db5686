package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * What every benchmark is given.
 *
 * @param directory of its own, empty, on the disk that is measured
 * @param input a real file: pages of it are what is stored
 * @param rounds alternations of value and peer
 * @param gib how much the recovery benchmark writes
 * @param log takes a line now and then
 */
record BenchContext(Path directory, Path input, int rounds, int gib, Consumer<String> log) {

    private static final int PIECE_BYTES = 1 << 20;

    void say(String format, Object... arguments) {
        log.accept(format.formatted(arguments));
    }

    /** Bytes of the input, from its start again when it is shorter. */
    MemorySegment data(Arena arena, long lengthBytes) throws IOException {
        MemorySegment data = arena.allocate(lengthBytes, 4096);
        try (FileChannel channel = FileChannel.open(input, StandardOpenOption.READ)) {
            long available = Math.min(channel.size(), lengthBytes);
            long position = 0;
            while (position < available) {
                ByteBuffer piece =
                        data.asSlice(position, Math.min(PIECE_BYTES, available - position)).asByteBuffer();
                int count = channel.read(piece, position);
                if (count <= 0) {
                    throw new IOException("the file became shorter while it was read: " + input);
                }
                position += count;
            }
            for (long filled = available; filled < lengthBytes; filled += available) {
                MemorySegment.copy(data, 0, data, filled, Math.min(available, lengthBytes - filled));
            }
        }
        return data;
    }

    /** Reads a file once, so that the operating system has it in its cache. Returns a sum that nobody needs. */
    static long warm(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            long total = 0;
            int count;
            while ((count = channel.read(buffer.asByteBuffer())) > 0) {
                total += count;
            }
            return total;
        }
    }
}
