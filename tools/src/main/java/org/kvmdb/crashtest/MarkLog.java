package org.kvmdb.crashtest;

import java.util.ArrayList;
import java.util.List;
import org.kvmdb.journal.simulation.RecordingDevice;

/**
 * The marks of one run in this process, with a number each, and the recording's mark of that number between its writes. So
 * a crash state says which marks came before it. Thread-safe.
 */
final class MarkLog implements CrashContext.Marks {

    /** All lanes, as they stood after a mark. */
    private record Standing(long[] issued, long[] acknowledged) {}

    /** Something said, behind that many marks. */
    private record Saying(int marks, String what) {}

    private final long steps;
    private final List<Standing> standings = new ArrayList<>();
    private final List<Saying> sayings = new ArrayList<>();
    private RecordingDevice recording;
    private long stepsBegun;

    /** @param steps after how many {@link #next} ends the run */
    MarkLog(long steps) {
        this.steps = steps;
        standings.add(new Standing(new long[CrashContext.LANES], new long[CrashContext.LANES]));
    }

    /** From here on marks go into a recording, too. */
    synchronized void into(RecordingDevice device) {
        recording = device;
        device.issued(standings.size() - 1);
    }

    @Override
    public synchronized boolean next() {
        return stepsBegun++ < steps;
    }

    @Override
    public synchronized void issued(int lane, long step) {
        long[] issued = standings.getLast().issued.clone();
        issued[lane] = Math.max(issued[lane], step);
        add(new Standing(issued, standings.getLast().acknowledged));
    }

    @Override
    public synchronized void acknowledged(int lane, long step) {
        long[] acknowledged = standings.getLast().acknowledged.clone();
        acknowledged[lane] = Math.max(acknowledged[lane], step);
        add(new Standing(standings.getLast().issued, acknowledged));
    }

    private void add(Standing standing) {
        standings.add(standing);
        if (recording != null) {
            recording.issued(standings.size() - 1);
        }
    }

    @Override
    public synchronized void log(String what) {
        sayings.add(new Saying(standings.size(), what));
    }

    synchronized int count() {
        return standings.size();
    }

    /** What must hold behind the mark of that number. */
    synchronized Recovered recovered(long seed, int mark) {
        Standing standing = standings.get(mark);
        return new Recovered(seed, standing.issued, standing.acknowledged);
    }

    /** What must hold at the end. */
    synchronized Recovered recovered(long seed) {
        return recovered(seed, standings.size() - 1);
    }

    /** What was said before the mark of that number, and just before the next. */
    synchronized List<String> saidUntil(int mark) {
        return sayings.stream()
                .filter(saying -> saying.marks <= mark + 1)
                .map(Saying::what)
                .toList();
    }
}
