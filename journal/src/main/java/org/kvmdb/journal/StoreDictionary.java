package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.kvmdb.ffi.CompressionDictionary;

/**
 * The dictionary that a store's pages are compressed against. Once a store has one it keeps it, and each checkpoint
 * holds it. No block may need the dictionary before a checkpoint with it is durable. So it is first <b>offered</b>,
 * then written with the next checkpoint, and <b>in use</b> from then on. Offered and settled under the append lock,
 * read by any thread.
 */
final class StoreDictionary implements AutoCloseable {

    private CompressionDictionary offered;
    private volatile CompressionDictionary inUse;
    private Consumer<CompressionDictionary> user = dictionary -> {};

    /** Takes what a durable checkpoint holds; empty: nothing. */
    void load(MemorySegment content) {
        if (content.byteSize() > 0) {
            inUse = CompressionDictionary.of(content);
        }
    }

    /** Sets who compresses pages against it: told at once if there is one, else when there is. */
    void user(Consumer<CompressionDictionary> newUser) {
        user = newUser;
        if (inUse != null) {
            user.accept(inUse);
        }
    }

    /** Proposes one; it becomes this object's, also when the store has one already. */
    void offer(CompressionDictionary dictionary) {
        if (offered != null || inUse != null) {
            dictionary.close();
        } else {
            offered = dictionary;
        }
    }

    /** Whether a checkpoint is to write one that none has written. */
    boolean isOffered() {
        return offered != null;
    }

    /** No checkpoint had room for it. */
    void withdraw() {
        if (offered != null) {
            offered.close();
            offered = null;
        }
    }

    /** What a checkpoint has to hold, empty when there is none. */
    MemorySegment content() {
        final CompressionDictionary stored = stored();
        return stored == null ? MemorySegment.NULL : stored.content();
    }

    /** How much that is; asked for with each commit. */
    int storedBytes() {
        return lengthOf(stored());
    }

    private CompressionDictionary stored() {
        return offered == null ? inUse : offered;
    }

    private static int lengthOf(CompressionDictionary dictionary) {
        return dictionary == null ? 0 : dictionary.lengthBytes();
    }

    /** A checkpoint with what {@link #content} was is durable. */
    void settled() {
        if (offered != null) {
            inUse = offered;
            offered = null;
            user.accept(inUse);
        }
    }

    /** What blocks may be compressed against; null when there is none. */
    CompressionDictionary inUse() {
        return inUse;
    }

    /** Length of what is in use; 0 when there is none. */
    int inUseBytes() {
        return lengthOf(inUse);
    }

    @Override
    public void close() {
        withdraw();
        if (inUse != null) {
            inUse.close();
        }
    }
}
