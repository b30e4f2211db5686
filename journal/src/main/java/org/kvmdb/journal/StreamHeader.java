package org.kvmdb.journal;

import java.util.regex.Pattern;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * Identifies the snapshot in a stream.
 *
 * @param storeUuidHigh high half of the UUID of the sending store
 * @param storeUuidLow low half of that UUID
 * @param volumeName name of the volume at the sender
 * @param snapshotName name of the snapshot, without that of the volume
 * @param baseName name of the base snapshot, without that of the volume; empty for a full stream
 * @param guid GUID of the snapshot, the same in all stores
 * @param baseGuid GUID of the base snapshot; 0 for a full stream
 * @param createdMillis when the snapshot was taken, in milliseconds since 1970
 * @param sizeBytes size of the volume
 * @param lsn last LSN that a commit contained in the snapshot carried
 */
public record StreamHeader(
        long storeUuidHigh,
        long storeUuidLow,
        String volumeName,
        String snapshotName,
        String baseName,
        long guid,
        long baseGuid,
        long createdMillis,
        long sizeBytes,
        int pageShift,
        long lsn) {

    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N}._-]{0,127}");

    public boolean isIncremental() {
        return baseGuid != 0;
    }

    /** One past the largest LPN. */
    public long pageCount() {
        return VolumeEntry.pageCount(sizeBytes, pageShift);
    }

    /** What it is, for messages. */
    public String describe() {
        return "%s@%s".formatted(volumeName, snapshotName);
    }

    /** What of it cannot be, or null. */
    String wrong() {
        if (!NAME.matcher(volumeName).matches() || !NAME.matcher(snapshotName).matches()) {
            return "impossible name of a volume or a snapshot";
        }
        if (isIncremental() ? !NAME.matcher(baseName).matches() : !baseName.isEmpty()) {
            return "impossible name of a base";
        }
        if (guid == 0 || guid == baseGuid) {
            return "impossible identity: guid=%016x base=%016x".formatted(guid, baseGuid);
        }
        if (pageShift < BlockDescriptor.PAGE_SHIFT_MIN || pageShift > BlockDescriptor.PAGE_SHIFT_MAX) {
            return "impossible page shift: " + pageShift;
        }
        if (sizeBytes < 0 || pageCount() > MapNodeDescriptor.LPN_LIMIT) {
            return "impossible size: " + sizeBytes;
        }
        return null;
    }
}
