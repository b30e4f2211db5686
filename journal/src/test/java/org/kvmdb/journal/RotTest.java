package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.KeptDevice;

/** A torn tail is cut; anything else that is missing of what was acknowledged is corruption, and is said to be. */
class RotTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();

    @TempDir
    private Path directory;

    private StoreModel model;
    private int issued;

    private LogImage image(long seed, Consumer<Workload> body) {
        final KeptDevice device = new KeptDevice(new MemoryDevice("rot"));
        try (Workload workload = new Workload(device, OPTIONS, seed)) {
            workload.create();
            body.accept(workload);
            workload.kill();
            model = workload.model();
            issued = workload.issued();
            return LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    private static long[] range(int from, int count) {
        return java.util.stream.LongStream.range(from, from + count).toArray();
    }

    private static Journal open(Device device) {
        return Journal.open(device, OPTIONS.withRandom(new SplittableRandom(99)));
    }

    private static ErrorCode codeOf(Device device) {
        return assertThrows(StorageException.class, () -> open(device)).code();
    }

    /** Which commit an image recovers to. */
    private int recover(Device device, int acked) {
        try (Journal journal = open(device)) {
            return model.commitOf(StoreModel.read(journal), acked, issued);
        }
    }

    private CampaignReport run(CampaignPlan.Scale scale) {
        return new BitRotCampaign()
                .run(new CampaignPlan(scale, 1, 2, directory, Map.of(), (done, expected) -> {}));
    }

    @Test
    void shouldShowNoWrongByteWhateverRotsIsLostOrGoesElsewhere() {
        final CampaignReport report = run(CampaignPlan.Scale.VERIFY);
        System.out.println(report.cases() + " " + report.notes());
        assertTrue(report.isClean(), () -> report.findings().toString());
        assertTrue(report.casesInAll() > 25_000, () -> report.casesInAll() + " cases");
    }

    @Test
    void shouldRotInTheSameWayWhenTheSeedIsTheSame() {
        assertEquals(run(CampaignPlan.Scale.SMOKE).traceHash(), run(CampaignPlan.Scale.SMOKE).traceHash());
    }

    @Test
    void shouldRefuseWhenAnyBatchRotsThatALaterOneKnowsDurable() {
        final LogImage image = image(1, work -> {
            work.createVolume("a", 256 << 12, 12);
            work.put("a", true, range(0, 10));
            work.put("a", true, range(0, 200)); // its middle segments hold no batch that knows of its own commit
            work.steal("a", range(10, 30));
            work.put("a", true, 1);
            work.put("a", true, 2);
        });
        final List<LogImage.Batch> log = image.log();
        final long durable = log.stream().mapToLong(LogImage.Batch::knownDurable).max().orElseThrow();
        int segments = 0;
        int rotten = 0;
        for (LogImage.Batch batch : log) {
            if (batch.sequence() <= durable) {
                final LogImage copy = image.copy();
                copy.flip(batch.position() + BatchDescriptor.FIRST_SEQUENCE_OFFSET, 1);
                assertEquals(ErrorCode.CORRUPT_STORE, codeOf(copy.device()), () -> "damaged: " + batch);
                segments += batch.position() % OPTIONS.segmentSizeBytes() == 0 ? 1 : 0;
                rotten++;
            }
        }
        assertTrue(segments > 3 && rotten > 20, segments + " segments, " + rotten + " batches");
    }

    @Test
    void shouldRefuseWhenWhatTheSuperblockKnowsDurableIsGone() {
        final LogImage image = image(2, work -> {
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, 1);
            work.checkpoint();
        });
        final List<LogImage.Batch> log = image.log();
        image.flip(log.getLast().position() + BatchDescriptor.FIRST_SEQUENCE_OFFSET, 1);
        assertEquals(ErrorCode.CORRUPT_STORE, codeOf(image.device()));
    }

    @Test
    void shouldCutTheTailWhenItIsTornAtAnySector() {
        final LogImage image = image(3, work -> {
            work.createVolume("a", 256 << 12, 12);
            work.put("a", true, 1, 2, 3);
            work.put("a", false, range(4, 5));
            work.put("a", false, range(2, 30));
        });
        final List<LogImage.Batch> log = image.log();
        final long durable = log.stream().mapToLong(LogImage.Batch::knownDurable).max().orElseThrow();
        int states = 0;
        int whole = 0;
        for (LogImage.Batch batch : log) {
            for (int cut = 0; batch.sequence() > durable && cut < batch.length(); cut += 512) {
                final LogImage copy = image.copy();
                Arrays.fill(copy.bytes(), batch.position() + cut, batch.position() + batch.length(), (byte) 0);
                for (LogImage.Batch later : log) {
                    if (later.sequence() > batch.sequence()) {
                        Arrays.fill(
                                copy.bytes(), later.position(), later.position() + later.length(), (byte) 0);
                    }
                }
                final boolean isWhole = Arrays.equals(
                        copy.bytes(), batch.position(), batch.position() + batch.length(),
                        image.bytes(), batch.position(), batch.position() + batch.length());
                final long commits = log.stream()
                        .filter(one -> one.sequence() > durable && (one.flags() & BatchDescriptor.FLAG_COMMIT) != 0)
                        .filter(one -> one.sequence() < batch.sequence() || one == batch && isWhole)
                        .count();
                assertEquals(issued - 2 + commits, recover(copy.device(), issued - 2), () -> "torn: " + batch);
                states++;
                whole += isWhole ? 1 : 0;
            }
        }
        assertTrue(states > 100 && whole > 0 && whole < states, states + " states, " + whole + " of them whole");
    }

    @Test
    void shouldRefuseWhenBothCopiesOfAPairAreUnreadable() {
        final LogImage image = image(4, work -> work.createVolume("a", 64 << 12, 12));
        for (int pair = 0; pair < 2; pair++) {
            final LogImage copy = image.copy();
            copy.flip((int) SuperblockDescriptor.slotOffset(pair) + 100, 1);
            copy.flip((int) SuperblockDescriptor.slotOffset(pair + 2) + 100, 1);
            assertEquals(ErrorCode.CORRUPT_STORE, codeOf(copy.device()));
        }
    }

    @Test
    void shouldRepairWhenOneCopyOfTheSuperblockIsUnreadable() {
        final LogImage image = image(5, work -> work.createVolume("a", 64 << 12, 12));
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            final LogImage copy = image.copy();
            copy.flip((int) SuperblockDescriptor.slotOffset(slot) + 100, 1);
            assertEquals(issued, recover(copy.device(), issued));
        }
    }

    @Test
    void shouldRefuseWhenSuperblockSlotsAreSwapped() {
        final LogImage image = image(6, work -> work.createVolume("a", 64 << 12, 12));
        for (int one = 0; one < SuperblockDescriptor.SLOT_COUNT; one++) {
            for (int other = 0; other < one; other++) {
                final LogImage copy = image.copy();
                swap(copy.bytes(), (int) SuperblockDescriptor.slotOffset(one), (int) SuperblockDescriptor.slotOffset(other));
                final MemoryDevice device = copy.device();
                try {
                    assertEquals(issued, recover(device, issued));
                } catch (StorageException e) {
                    assertEquals(ErrorCode.CORRUPT_STORE, e.code());
                }
            }
        }
    }

    private static void swap(byte[] bytes, int one, int other) {
        for (int i = 0; i < SuperblockDescriptor.LENGTH; i++) {
            final byte kept = bytes[one + i];
            bytes[one + i] = bytes[other + i];
            bytes[other + i] = kept;
        }
    }
}
