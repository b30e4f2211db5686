package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Reads and writes the copies of the superblock. A generation has a pair of slots, and its two copies are flushed one
 * after the other; so a crash can tear at most one copy of a pair, and a pair without a single good copy means that the
 * medium lost it.
 */
final class SuperblockStore {

    private static final int PAIRS = 2;

    private final Device device;
    private final Digests digests = new Digests();
    private final MemorySegment buffer =
            Arena.ofAuto().allocate(SuperblockDescriptor.LENGTH, SuperblockDescriptor.LENGTH);
    private final Superblock[] slots = new Superblock[SuperblockDescriptor.SLOT_COUNT];

    SuperblockStore(Device device) {
        this.device = device;
    }

    /** Whether any slot begins like a superblock. */
    boolean isStore() {
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            if (readSlot(slot) && Superblock.hasMagic(buffer)) {
                return true;
            }
        }
        return false;
    }

    private boolean readSlot(int slot) {
        buffer.fill((byte) 0);
        return WholeReads.read(device, SuperblockDescriptor.slotOffset(slot), buffer) == SuperblockDescriptor.LENGTH;
    }

    /** Past the system's cache, where what this process wrote lies whatever has become of the medium. */
    private boolean readSlotOnMedium(int slot) {
        buffer.fill((byte) 0);
        return WholeReads.readDurable(device, SuperblockDescriptor.slotOffset(slot), buffer) == SuperblockDescriptor.LENGTH;
    }

    /** The newest superblock, or an exception that says why there is none to rely on. */
    Superblock read(boolean readOnly) {
        boolean anyMagic = false;
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            slots[slot] = null;
            anyMagic |= readCopy(readSlot(slot), slot, readOnly);
            if (slots[slot] == null) { // what is wrong is read again, once, for the cache would say the same
                anyMagic |= readCopy(readSlotOnMedium(slot), slot, readOnly);
            }
        }
        return choose(anyMagic);
    }

    /** Takes in the copy that was read of a slot, which stays null when it is not valid; whether it begins like a superblock. */
    private boolean readCopy(boolean isRead, int slot, boolean readOnly) {
        if (!isRead) {
            return false;
        }
        if (Superblock.isSealed(buffer, digests)) {
            Superblock.checkVersion(buffer, readOnly);
            slots[slot] = Superblock.decode(buffer, slot);
        }
        return Superblock.hasMagic(buffer);
    }

    private Superblock choose(boolean anyMagic) {
        Superblock newest = null;
        for (int pair = 0; pair < PAIRS; pair++) {
            final Superblock inPair = newestOfPair(slots[pair], slots[pair + PAIRS]);
            if (inPair != null && (newest == null || inPair.generation() > newest.generation())) {
                newest = inPair;
            }
        }
        if (newest == null) {
            throw none(anyMagic);
        }
        for (int pair = 0; pair < PAIRS; pair++) {
            if (slots[pair] == null && slots[pair + PAIRS] == null) {
                throw new StorageException(
                        ErrorCode.CORRUPT_STORE,
                        "corrupt store: both superblock copies in slots %d and %d are unreadable and may have been the"
                                .formatted(pair, pair + PAIRS)
                                + " newest; restore the store from a copy");
            }
        }
        checkSameStore(newest);
        return newest;
    }

    private Superblock newestOfPair(Superblock one, Superblock other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        if (one.generation() == other.generation() && !isSame(one, other)) {
            throw new StorageException(
                    ErrorCode.CORRUPT_STORE,
                    "corrupt store: two superblock copies of generation %d differ; restore the store from a copy"
                            .formatted(one.generation()));
        }
        return one.generation() >= other.generation() ? one : other;
    }

    /** As they would be written: what a record has for equals is linked at its first call, and that takes 8 ms. */
    private boolean isSame(Superblock one, Superblock other) {
        try (Arena memory = Arena.ofConfined()) {
            final MemorySegment image = memory.allocate(SuperblockDescriptor.LENGTH);
            final MemorySegment otherImage = memory.allocate(SuperblockDescriptor.LENGTH);
            one.encode(image, 0, digests);
            other.encode(otherImage, 0, digests);
            return image.mismatch(otherImage) < 0;
        }
    }

    private void checkSameStore(Superblock newest) {
        for (Superblock copy : slots) {
            if (copy != null && copy.storeId() != newest.storeId()) {
                throw new StorageException(
                        ErrorCode.CORRUPT_STORE,
                        "corrupt store: superblocks of two stores, 0x%x and 0x%x; restore the store from a copy"
                                .formatted(newest.storeId(), copy.storeId()));
            }
        }
    }

    /** What is wrong with a slot as it is on the medium, or null. */
    String inspect(int slot) {
        if (!readSlotOnMedium(slot)) {
            return "device ends before it";
        }
        if (!Superblock.hasMagic(buffer)) {
            return "no superblock begins there";
        }
        if (!Superblock.isSealed(buffer, digests)) {
            return "checksum mismatch";
        }
        return Superblock.decode(buffer, slot) == null ? "a field is out of its range" : null;
    }

    /** After {@link #read}: generation of the copy in a slot, or 0. */
    long generation(int slot) {
        return slots[slot] == null ? 0 : slots[slot].generation();
    }

    private StorageException none(boolean anyMagic) {
        if (!anyMagic) {
            return new StorageException(
                    ErrorCode.WRONG_MAGIC,
                    "not a store: no superblock in %s, %d bytes; is this the right file?"
                            .formatted(device, device.sizeBytes()));
        }
        return new StorageException(
                ErrorCode.CORRUPT_STORE,
                "corrupt store: no superblock copy of %s is readable; restore the store from a copy"
                        .formatted(device));
    }

    /** Writes both copies of a generation, each flushed on its own; throws FAILED when another process wrote the store. */
    void write(Superblock superblock) {
        fence(superblock);
        final int pair = (int) (superblock.generation() % PAIRS);
        writeSlot(superblock, pair);
        writeSlot(superblock, pair + PAIRS);
    }

    /**
     * The lock of the file holds within one machine, and not through every file system: what another process has made of
     * the store meanwhile must not be written over. A copy that cannot be read says nothing here, and neither does the cache of
     * a machine of several.
     */
    private void fence(Superblock next) {
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            final Superblock found = readQuietly(slot);
            if (found != null && (found.generation() >= next.generation() || found.storeId() != next.storeId())) {
                throw new StorageException(
                        ErrorCode.FAILED,
                        "another process has written %s: superblock generation %d is there, this process wrote %d last"
                                .formatted(device, found.generation(), next.generation() - 1));
            }
        }
    }

    /** A good copy, or null. */
    private Superblock readQuietly(int slot) {
        try {
            return readSlotOnMedium(slot) && Superblock.isSealed(buffer, digests)
                    ? Superblock.decode(buffer, slot)
                    : null;
        } catch (StorageException e) {
            return null;
        }
    }

    /**
     * After {@link #read}: makes both copies of the newest generation durable. What was read may lie in the system's cache alone,
     * the second copy also when both look good: its flush had failed before the process was killed. Then the next generation
     * but one would tear the first, and no copy of the pair could be read. Behind a flush that failed no other makes a copy
     * durable, unless it is written again; where it is durable already, writing the same cannot tear it.
     *
     * @param isDurable whether both copies are known to be, if both were read
     */
    void repair(Superblock newest, boolean isDurable) {
        final int first = (int) (newest.generation() % PAIRS);
        final int second = first + PAIRS;
        final boolean isSecondGood = generation(second) == newest.generation();
        if (isDurable && isSecondGood && generation(first) == newest.generation()) {
            return;
        }
        // The last one written goes first, before one that is missing, too: both must not hang in one flush.
        final int good = isSecondGood ? second : first;
        newest.encode(buffer, good, digests);
        device.write(SuperblockDescriptor.slotOffset(good), buffer);
        device.flush();
        writeSlot(newest, isSecondGood ? first : second);
    }

    private void writeSlot(Superblock superblock, int slot) {
        superblock.encode(buffer, slot, digests);
        device.write(SuperblockDescriptor.slotOffset(slot), buffer);
        device.flush();
        slots[slot] = superblock;
    }
}
