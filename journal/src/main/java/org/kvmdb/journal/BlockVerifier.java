package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** Verifies blocks that were read: checksum, identity, header, and that they decode to the right size. One thread. */
public final class BlockVerifier {

    private final SegmentTable segments;
    private final BlockSeal seal;

    BlockVerifier(JournalParts parts) {
        segments = parts.segments();
        seal = new BlockSeal(parts.dictionary());
    }

    /**
     * Verifies a block.
     *
     * @param block its bytes, as many as the PPN says, native memory
     * @param crc as {@link BlockVisitor} was told
     * @return null, or what is wrong
     */
    public String verify(BlockOwner owner, long lpn, long ppn, int crc, MemorySegment block) {
        final int segment = Ppn.segment(ppn);
        final int pageShift = owner.pageShift() != 0
                ? owner.pageShift()
                : Fields.byteAt(block, BlockDescriptor.PAGE_SHIFT_OFFSET);
        if (pageShift < BlockDescriptor.PAGE_SHIFT_MIN || pageShift > BlockDescriptor.PAGE_SHIFT_MAX) {
            return "block header mismatch: pageShift=" + pageShift;
        }
        final int expected =
                seal.crc(block, segments.salt(segment), segments.generation(segment), ppn, lpn, owner.family());
        if (owner.role() == BlockOwner.Role.LOG && crc != expected) {
            return "block checksum differs from its record's: expected=0x%08x actual=0x%08x".formatted(crc, expected);
        }
        return seal.verify(block, owner.type(), expected, pageShift);
    }
}
