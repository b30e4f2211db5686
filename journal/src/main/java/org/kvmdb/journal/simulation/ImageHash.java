package org.kvmdb.journal.simulation;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Hash of the image of a device, found from that of what lies beneath and of the sectors that were written over it: the sum,
 * without carry, of a hash of place and content of each sector. Sectors of zeros count as nothing, so length does not
 * matter.
 */
final class ImageHash {

    private static final int SECTOR_BYTES = RecordingDevice.SECTOR_BYTES;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    private long settled;
    private long[] settledSectors = new long[0];
    private long current;
    private long[] currentSectors = new long[0];
    /** In which round a sector was written over last. */
    private int[] rounds = new int[0];

    private int round;

    ImageHash(byte[] image) {
        settle(0, sectorsOf(image, 0));
        current = settled;
    }

    /** Hashes of the sectors of bytes that lie at that position, a multiple of the sector. */
    static long[] sectorsOf(byte[] bytes, long position) {
        final long[] result = new long[(bytes.length + SECTOR_BYTES - 1) / SECTOR_BYTES];
        for (int i = 0; i < result.length; i++) {
            result[i] = sectorOf(bytes, i * SECTOR_BYTES, position / SECTOR_BYTES + i);
        }
        return result;
    }

    private static long sectorOf(byte[] bytes, int from, long sector) {
        final int end = Math.min(bytes.length, from + SECTOR_BYTES);
        long any = 0;
        long hash = 0;
        int at = from;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            final long value = (long) LONG.get(bytes, at);
            any |= value;
            hash = Long.rotateLeft((hash ^ value) * FACTOR, 29);
        }
        for (; at < end; at++) {
            any |= bytes[at];
            hash = Long.rotateLeft((hash ^ bytes[at]) * FACTOR, 29);
        }
        return any == 0 ? 0 : CampaignTally.mix(hash ^ CampaignTally.mix(sector));
    }

    /** Those sectors are part of what lies beneath, from now on. */
    void settle(long position, long[] sectors) {
        final int first = (int) (position / SECTOR_BYTES);
        reach(first + sectors.length);
        for (int i = 0; i < sectors.length; i++) {
            settled ^= settledSectors[first + i] ^ sectors[i];
            settledSectors[first + i] = sectors[i];
        }
    }

    /** Whether a sector with that hash is another one than that which lies beneath. */
    boolean differs(long position, long hash) {
        final int sector = (int) (position / SECTOR_BYTES);
        return hash != (sector < settledSectors.length ? settledSectors[sector] : 0);
    }

    private void reach(int sectors) {
        if (sectors > settledSectors.length) {
            final int length = Math.max(sectors, 2 * settledSectors.length);
            settledSectors = Arrays.copyOf(settledSectors, length);
            currentSectors = Arrays.copyOf(currentSectors, length);
            rounds = Arrays.copyOf(rounds, length);
        }
    }

    /** Begins with what lies beneath. */
    void begin() {
        current = settled;
        round++;
    }

    /** A sector is written over. */
    void overwrite(long position, long hash) {
        final int sector = (int) (position / SECTOR_BYTES);
        reach(sector + 1);
        current ^= (rounds[sector] == round ? currentSectors[sector] : settledSectors[sector]) ^ hash;
        currentSectors[sector] = hash;
        rounds[sector] = round;
    }

    /** Of what lies beneath with all that was written over it since it began. */
    long value() {
        return current;
    }
}
