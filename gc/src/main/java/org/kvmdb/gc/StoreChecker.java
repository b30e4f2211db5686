package org.kvmdb.gc;

import java.nio.file.Path;
import org.kvmdb.journal.Defect;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.JournalInspection;

/**
 * Verifies every structure and every block of a store, without writing a byte:
 *
 * <ul>
 *   <li>the copies of the superblock, the catalog, the segment table, and all map nodes;
 *   <li>the chain of batches since the checkpoint, with the zeros behind their records and the blocks that only they
 *       refer to, such as stolen pages;
 *   <li>that the blocks of all pages decode to pages;
 *   <li>that no two blocks overlap, and none lies in a free segment;
 *   <li>that the live bytes in the segment table are correct.
 * </ul>
 *
 * Dead data (older batches, abandoned commits) are not checked. A defect is reported with its place, and does not stop
 * the check.
 */
public final class StoreChecker {

    /** Blocks that are held in memory at a time, to be sorted by place: some 60 bytes each. */
    private static final int BLOCKS_PER_PASS = 1 << 20;

    private final JournalInspection inspection;
    private final DefectLog defects;
    private final CheckProgress progress;
    private final int blocksPerPass;

    private StoreChecker(JournalInspection inspection, DefectLog defects, CheckProgress progress, int blocksPerPass) {
        this.inspection = inspection;
        this.defects = defects;
        this.progress = progress;
        this.blocksPerPass = blocksPerPass;
    }

    /** Checks the store in a data file, which must not be open for writing anywhere. */
    public static StoreReport check(Path dataFile, CheckProgress progress) {
        return check(Devices.open(dataFile, true), progress);
    }

    /**
     * Checks the store on a device and closes that. A damaged store gives a report; an exception says that there is no
     * store, that it is of another version, in use, or that the device cannot be read at all.
     */
    public static StoreReport check(Device device, CheckProgress progress) {
        return check(device, progress, BLOCKS_PER_PASS);
    }

    static StoreReport check(Device device, CheckProgress progress, int blocksPerPass) {
        final long begin = System.nanoTime();
        final DefectLog defects = new DefectLog();
        try (JournalInspection inspection = JournalInspection.open(device, defects::add)) {
            return new StoreChecker(inspection, defects, progress, blocksPerPass).run(begin);
        }
    }

    private StoreReport run(long begin) {
        final BlockCensus census = new BlockCensus(inspection);
        inspection.checkBatches();
        for (int i = 0; i < inspection.segmentCount(); i++) {
            checkLiveBytes(i, census.liveBytes(i));
        }
        try (BlockSweep sweep = new BlockSweep(inspection, defects, progress, census.bytesToRead())) {
            progress.progress(0, census.bytesToRead());
            for (int from = 0; from < inspection.segmentCount(); ) {
                final int end = census.endOfPass(from, blocksPerPass);
                sweep.run(census.extents(from, end));
                from = end;
            }
        }
        return new StoreReport(
                census.volumes(),
                census.pages(),
                census.pageBytes(),
                census.pageBlockBytes(),
                inspection.nodes(),
                inspection.metadataBlocks(),
                inspection.superblockCopies(),
                inspection.batches(),
                inspection.tornBatches(),
                inspection.isReadable() ? inspection.segments() : null,
                inspection.deviceBytes(),
                inspection.allocatedBytes(),
                census.bytesToRead(),
                System.nanoTime() - begin,
                defects.listed().stream()
                        .map(defect -> defect.withHolders(inspection.holders(defect)))
                        .toList(),
                defects.count());
    }

    /** Where parts of the map are lost, the table knows of blocks that were not found; never the other way round. */
    private void checkLiveBytes(int segment, long found) {
        final long counted = inspection.liveBytes(segment);
        if (found > counted || found < counted && inspection.isMapWhole()) {
            defects.add(new Defect(
                    Defect.Kind.LIVE_BYTES, inspection.segmentPosition(segment), null, -1, 0,
                    "segment %d holds %d live bytes, its entry in the segment table counts %d"
                            .formatted(segment, found, counted)));
        }
    }
}
