package org.kvmdb.tools.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The content of pages: text of the corpus, with the page's number in front. In plain memory, shared by threads. */
final class PageSource {

    static final int PAGE_BYTES = 4096;

    /** Bytes of the smallest page that any system stores, see {@link LmdbPeer}: readers look at no word beyond. */
    static final int COMMON_BYTES = 4080;

    private static final long VERSION_STRIDE = 7919;

    private final MemorySegment texts;
    private final long textPages;

    PageSource(MemorySegment texts) {
        this.texts = texts;
        this.textPages = texts.byteSize() / PAGE_BYTES;
    }

    static PageSource read(Path corpus, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(corpus, StandardOpenOption.READ)) {
            MemorySegment texts = arena.allocate(channel.size(), PAGE_BYTES);
            for (long position = 0; position < texts.byteSize(); ) {
                int count = channel.read(texts.asSlice(position).asByteBuffer(), position);
                if (count <= 0) {
                    throw new IOException("the corpus became shorter while it was read: " + corpus);
                }
                position += count;
            }
            return new PageSource(texts);
        }
    }

    void fill(MemorySegment destination, long offset, long page, long version) {
        fill(destination, offset, page, version, PAGE_BYTES);
    }

    void fill(MemorySegment destination, long offset, long page, long version, int lengthBytes) {
        MemorySegment.copy(texts, textOffset(page, version), destination, offset, lengthBytes);
        destination.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, page);
    }

    /** What {@link Session#word} returns for a page of that version. */
    long word(long page, long version, int offset) {
        return offset == 0 ? page : texts.get(ValueLayout.JAVA_LONG, textOffset(page, version) + offset);
    }

    private long textOffset(long page, long version) {
        return (page + version * VERSION_STRIDE) % textPages * PAGE_BYTES;
    }

    static long sum(MemorySegment memory, long offset, int lengthBytes) {
        long sum = 0;
        for (int i = 0; i < lengthBytes; i += Long.BYTES) {
            sum += memory.get(ValueLayout.JAVA_LONG_UNALIGNED, offset + i);
        }
        return sum;
    }

    static void checkFound(boolean found, long page) {
        if (!found) {
            throw new IllegalStateException("no page " + page);
        }
    }

    /** For those who are called where nothing may be thrown. */
    static UncheckedIOException unchecked(IOException e) {
        return new UncheckedIOException(e.getMessage(), e);
    }
}
