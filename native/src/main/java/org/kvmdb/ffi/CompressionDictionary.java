package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What blocks of pages are compressed against ({@code compression_dictionary.h}): bytes that many pages have in common. A
 * store has one or none, and it never changes. Thread-safe. The owner closes it after everything that uses it: the
 * {@link NativePool}, and {@link BlockBuffers} that encode.
 */
public final class CompressionDictionary implements AutoCloseable {

    /** LZ4 looks back no farther. */
    public static final int LENGTH_MAX = 64 << 10;

    /** A {@code struct page_table}. */
    static final int COMPRESSOR_LENGTH = 1 << 13;

    private long handle;
    private final int lengthBytes;

    private CompressionDictionary(int lengthBytes) {
        this.lengthBytes = lengthBytes;
    }

    /** A dictionary of a copy of the content, of 1 to {@value #LENGTH_MAX} bytes. */
    public static CompressionDictionary of(MemorySegment content) {
        final long length = content.byteSize();
        if (length < 1 || length > LENGTH_MAX) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "a dictionary of %d bytes: between 1 and %d are allowed".formatted(length, LENGTH_MAX));
        }
        // Made before the native one is: without memory for it that would be lost.
        final CompressionDictionary dictionary = new CompressionDictionary((int) length);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment copy = arena.allocate(length).copyFrom(content);
            final long handle = ShimLibrary.shim().kvmdb_dictionary_create(copy.address(), length);
            if (handle < 0 && handle > -4096) {
                throw failure((int) handle);
            }
            dictionary.handle = handle;
        }
        return dictionary;
    }

    private static StorageException failure(int negativeErrno) {
        return negativeErrno == -Errno.ENOSYS
                ? new StorageException(ErrorCode.UNSUPPORTED, PageFaulter.describe(PageFaulter.NO_LZ4, 0))
                : Errno.exception(negativeErrno, "make a compression dictionary");
    }

    /** What it was made of: read-only, valid until close. */
    public MemorySegment content() {
        return MemorySegment.ofAddress(ShimLibrary.shim().kvmdb_dictionary_content(address()))
                .reinterpret(lengthBytes)
                .asReadOnly();
    }

    public int lengthBytes() {
        return lengthBytes;
    }

    /**
     * Compresses a page, with a state of its own: for judging samples; {@link BlockBuffers} compress what is written. Both
     * segments are native.
     *
     * @return bytes of the payload, 0 when it does not fit into the target
     */
    public int compress(MemorySegment page, MemorySegment target) {
        final int length = ShimLibrary.shim()
                .kvmdb_dictionary_compress(
                        address(),
                        page.address(),
                        Math.toIntExact(page.byteSize()),
                        target.address(),
                        Math.toIntExact(target.byteSize()));
        return Errno.check(length, "compress a page");
    }

    /**
     * Decodes a payload, safely whatever it is. Both segments are native.
     *
     * @return bytes of the page, negative when the payload is wrong or the page is too short for it
     */
    public int decompress(MemorySegment payload, MemorySegment page) {
        return ShimLibrary.shim()
                .kvmdb_dictionary_decompress(
                        address(),
                        payload.address(),
                        Math.toIntExact(payload.byteSize()),
                        page.address(),
                        Math.toIntExact(page.byteSize()));
    }

    synchronized long address() {
        if (handle == 0) {
            throw new StorageException(ErrorCode.CLOSED, "the compression dictionary is closed");
        }
        return handle;
    }

    @Override
    public synchronized void close() {
        if (handle != 0) {
            final long open = handle;
            handle = 0;
            Errno.check(ShimLibrary.shim().kvmdb_dictionary_destroy(open), "free a compression dictionary");
        }
    }
}
