package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.Place;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Stores with lies in them, for the fuzz targets of the modules above: on devices that a fault handler can read from. */
public final class ForgedImages {

    private final ImageFuzzTarget target = new ImageFuzzTarget();

    /** The parts that can be edited. */
    public List<Place> places() {
        return target.places();
    }

    public Device device(List<Edit> program) {
        final HeapDevice forged = target.store().forge(program);
        final long size = forged.sizeBytes();
        return RecordingDevice.materialize(forged.get(0, (int) size), size, List.of());
    }

    /** Whether a program leaves what pages hold as it is, so that {@link #check} can be asked. */
    public static boolean isContentTrue(List<Edit> program) {
        return program.stream().noneMatch(
                edit -> edit.place().startsWith(ForgedStore.BLOCK) || edit.place().equals(ForgedStore.FILE));
    }

    /** Fails when a page holds anything but zeros or what was written to a page of that number. */
    public static void check(MemorySegment page, long lpn) {
        PageContent.version(page, page.get(ValueLayout.JAVA_LONG_UNALIGNED, 2 * Long.BYTES), lpn);
    }
}
