package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Changes a stream in a few places, wherever fields are or lengths come from; the forge makes the checksums right. */
public final class StreamEnemy {

    private StreamEnemy() {}

    public static void change(StreamForge forge, SplittableRandom random) {
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            final int index = random.nextInt(forge.chunks().size());
            byte[] chunk = forge.chunks().get(index);
            final int at = random.nextInt(chunk.length);
            final int word = Math.min(at & -8, chunk.length - Long.BYTES);
            switch (random.nextInt(8)) {
                case 0 -> chunk[at] = (byte) random.nextInt();
                case 1 -> Arrays.fill(chunk, at, Math.min(chunk.length, at + 8), (byte) -random.nextInt(2));
                case 2 -> chunk = Arrays.copyOf(chunk, Math.max(StreamChunkDescriptor.HEADER_LENGTH, at));
                case 3 -> chunk = Arrays.copyOf(chunk, chunk.length + random.nextInt(100));
                case 4 -> Fields.putLong(MemorySegment.ofArray(chunk), word, random.nextLong() >>> random.nextInt(64));
                case 5 -> chunk[Math.min(at, StreamChunkDescriptor.HEADER_LENGTH - 1)] = (byte) random.nextInt();
                default -> {
                    final int behindHeader = StreamChunkDescriptor.HEADER_LENGTH + at % 64;
                    chunk[Math.min(behindHeader, chunk.length - 1)] = (byte) random.nextInt();
                }
            }
            forge.chunks().set(index, chunk);
        }
    }
}
