package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.kvmdb.Pin;
import org.kvmdb.PinMode;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.tools.TemporaryDirectory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Eight bytes of a resident page, beside eight bytes of plain memory: the same loop over both. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class HitBenchmark {

    static final int READS = 1024;

    /** Within the processor's second-level cache, and beyond the reach of its first translation buffer. */
    @Param("1048576")
    public int residentBytes;

    private TemporaryDirectory directory;
    private Store store;
    private Pin pin;
    private Arena arena;
    private MemorySegment resident;
    private MemorySegment plain;
    private long[] offsets;

    @Setup(Level.Trial)
    public void open() throws IOException {
        directory = TemporaryDirectory.create(Path.of(System.getProperty("java.io.tmpdir")), "kvmdb-hit-");
        store = Store.create(directory.path(), StoreOptions.defaults().withCacheSizeBytes(8L * residentBytes));
        Volume volume = store.createVolume("hit", VolumeOptions.ofSizeBytes(residentBytes));
        arena = Arena.ofShared();
        plain = arena.allocate(residentBytes, VolumeOptions.PAGE_SIZE_BYTES_MIN);
        SplittableRandom random = new SplittableRandom(1);
        for (long offset = 0; offset < residentBytes; offset += Long.BYTES) {
            plain.set(ValueLayout.JAVA_LONG, offset, random.nextLong());
        }
        volume.write(0, plain);
        volume.commit();
        pin = volume.pin(0, residentBytes, PinMode.READ);
        resident = volume.memory();
        offsets = random.longs(READS, 0, residentBytes / Long.BYTES).map(i -> i * Long.BYTES).toArray();
    }

    @Benchmark
    @OperationsPerInvocation(READS)
    public long volume() {
        return sum(resident);
    }

    @Benchmark
    @OperationsPerInvocation(READS)
    public long plain() {
        return sum(plain);
    }

    private long sum(MemorySegment memory) {
        long sum = 0;
        for (long offset : offsets) {
            sum += memory.get(ValueLayout.JAVA_LONG, offset);
        }
        return sum;
    }

    @TearDown(Level.Trial)
    public void close() {
        pin.close();
        store.close();
        arena.close();
        directory.close();
    }
}
