package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;

class SuperblockRepairTest {

    /**
     * A copy of the superblock was torn; written again, the flush failed and the process died. The next one reads a good copy
     * from the system's cache, and the power goes while it writes the other one.
     */
    @Test
    void shouldKeepACopyReadableWhenThatWhichIsReadIsNotOnTheMedium() {
        final List<RecordingDevice.Event> events = eventsOfAStore();
        final int first = copyOfNewest(events, 2);
        final RecordingDevice.Event copy = events.get(first);
        final byte[] medium = mediumBefore(events, first);
        Arrays.fill(medium, (int) copy.position(), (int) copy.position() + RecordingDevice.SECTOR_BYTES, (byte) 7);

        final RecordingDevice device = RecordingDevice.unflushable(medium, medium.length, List.of(copy));
        Journal.open(device, Workload.tinyOptions()).kill();
        crashEverywhere(device);
    }

    /**
     * The flush of the second copy failed, and the process died. The next one reads both from the system's cache; the power
     * goes while it writes the first copy's place again, two checkpoints later.
     */
    @Test
    void shouldKeepACopyReadableWhenTheSecondIsNotOnTheMedium() {
        final List<RecordingDevice.Event> events = eventsOfAStore();
        final int second = copyOfNewest(events, 1);
        final RecordingDevice.Event copy = events.get(second);
        final byte[] medium = mediumBefore(events, second);

        final RecordingDevice device = RecordingDevice.unflushable(medium, medium.length, List.of(copy));
        final Journal journal = Journal.open(device, Workload.tinyOptions());
        journal.checkpoint();
        journal.kill();
        crashEverywhere(device);
    }

    private static List<RecordingDevice.Event> eventsOfAStore() {
        final RecordingDevice recording = new RecordingDevice(new MemoryDevice("superblocks"));
        try (Workload work = new Workload(recording, Workload.tinyOptions(), 1)) {
            work.create();
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, 1, 2);
            work.checkpoint();
        }
        final List<RecordingDevice.Event> events = recording.events();
        recording.dispose();
        return events;
    }

    /** Cuts the power at every moment of what the device recorded: a store must always be found. */
    private static void crashEverywhere(RecordingDevice device) {
        final CrashStates.Limits limits = new CrashStates.Limits(8, 6, 8, 8, 4, false);
        final long states = new CrashStates(
                        device, 1, limits, state -> Journal.open(state.device(), Workload.tinyOptions()).kill())
                .walk(0, 0, 0);
        assertTrue(states > 10, () -> states + " states");
        device.dispose();
    }

    /** What is on the medium when everything before that event is. */
    private static byte[] mediumBefore(List<RecordingDevice.Event> events, int end) {
        final byte[] medium = new byte[(int) events.get(end).sizeBytes()];
        events.subList(0, end).stream()
                .filter(event -> event.kind() == RecordingDevice.Kind.WRITE)
                .forEach(event -> System.arraycopy(event.bytes(), 0, medium, (int) event.position(), event.bytes().length));
        return medium;
    }

    /** Index of the n-th write of a superblock, from the last one. */
    private static int copyOfNewest(List<RecordingDevice.Event> events, int fromLast) {
        int at = events.size() - 1;
        for (int copies = 0; copies < fromLast; at--) {
            copies += isSuperblock(events.get(at)) ? 1 : 0;
        }
        return at + 1;
    }

    private static boolean isSuperblock(RecordingDevice.Event event) {
        return event.kind() == RecordingDevice.Kind.WRITE && event.position() < SuperblockDescriptor.SEGMENTS_OFFSET;
    }
}
