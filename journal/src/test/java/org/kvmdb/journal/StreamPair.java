package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.function.Executable;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/** A journal that sends, with its workload, and one that receives. */
abstract class StreamPair {

    static final JournalOptions OPTIONS =
            Workload.tinyOptions().withSegmentSizeBytes(1 << 20).withMaxSizeBytes(200L << 20);

    final KeptDevice sourceDevice = new KeptDevice(new MemoryDevice("source"));
    final KeptDevice targetDevice = new KeptDevice(new MemoryDevice("target"));
    final Workload work = new Workload(sourceDevice, OPTIONS, 1);
    Journal target = Journal.create(targetDevice, OPTIONS);

    StreamPair() {
        work.create();
    }

    @AfterEach
    final void close() {
        work.close();
        target.kill();
        sourceDevice.dispose();
        targetDevice.dispose();
    }

    final Journal source() {
        return work.journal();
    }

    final SnapshotEntry snapshot(String volume, String name) {
        return source().versions().createSnapshots(List.of(source().volume(volume).id()), name).getFirst();
    }

    final byte[] send(SnapshotEntry snapshot, SnapshotEntry base) {
        return TestStreams.send(source(), snapshot, base);
    }

    static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    final void reopenTarget() {
        target.kill();
        targetDevice.reopen();
        target = Journal.open(targetDevice, OPTIONS);
    }

    static void assertCode(ErrorCode code, Executable action) {
        assertEquals(code, assertThrows(StorageException.class, action).code());
    }

    /** The snapshot and the volume's head equal what was sent, now and after opening again. */
    final void verify(SnapshotEntry sent, String volume) {
        for (int i = 0; i < 2; i++) {
            final SnapshotEntry received = target.versions().snapshot(volume, sent.snapshotName());
            final String expected = TestStreams.describe(source(), sent);
            assertEquals(expected, TestStreams.describe(target, received));
            assertEquals(expected, TestStreams.describe(target, target.volume(volume)));
            assertEquals(sent.guid(), received.guid());
            assertEquals(sent.createdMillis(), received.createdMillis());
            assertEquals(0, TestStreams.hidden(target));
            reopenTarget();
        }
    }
}
