package org.kvmdb.tools.kill;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/** Counts in a page, and says how far; some ways of doing so are wrong. What it said last is the first word of the body. */
final class CounterChild {

    /** What it does. */
    enum Way {
        HONEST,
        /** Says that a number is durable before it is. */
        EARLY,
        /** Throws. */
        FAILING,
        /** Never opens its store. */
        HANGING
    }

    private static final int SAID_AHEAD_MILLIS = 5;
    static final StoreOptions OPTIONS = StoreOptions.defaults()
            .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
            .withSegmentSizeBytes(256 << 10)
            .withControlSocket(false);

    private CounterChild() {}

    public static void main(String[] arguments) {
        KillChild.run(arguments, CounterChild::run);
    }

    private static void run(KillChild child) throws InterruptedException {
        Way way = Way.valueOf(child.arguments().getFirst());
        if (way == Way.HANGING) {
            Thread.sleep(Long.MAX_VALUE);
        }
        child.opening();
        boolean isThere = Files.exists(child.store().resolve("store.kvmdb"));
        try (Store store = isThere ? Store.open(child.store(), OPTIONS) : Store.create(child.store(), OPTIONS)) {
            Volume volume = store.volumes().isEmpty()
                    ? store.createVolume("counter", VolumeOptions.ofSizeBytes(4096))
                    : store.volume("counter");
            child.working();
            if (way == Way.FAILING) {
                throw new IllegalStateException("this child fails");
            }
            count(child, way, volume);
            child.closing();
        }
    }

    private static void count(KillChild child, Way way, Volume volume) throws InterruptedException {
        MemorySegment said = child.record().body();
        MemorySegment memory = volume.memory();
        while (!child.isStopAsked()) {
            long next = memory.get(ValueLayout.JAVA_LONG, 0) + 1;
            memory.set(ValueLayout.JAVA_LONG, 0, next);
            if (way == Way.EARLY) {
                said.set(ValueLayout.JAVA_LONG, 0, next);
                Thread.sleep(SAID_AHEAD_MILLIS);
            }
            volume.commit();
            said.set(ValueLayout.JAVA_LONG, 0, next);
            child.advance();
        }
    }
}
