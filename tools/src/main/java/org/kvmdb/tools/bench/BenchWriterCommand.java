package org.kvmdb.tools.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.tools.ChildJvm;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The process that the recovery benchmark kills. */
@Command(name = "bench-writer", hidden = true, description = "The process that the recovery benchmark kills.")
public final class BenchWriterCommand implements Callable<Integer> {

    private static final long PIECE_BYTES = 32 << 20;

    @Parameters(index = "0")
    private Path directory;

    @Parameters(index = "1")
    private Path input;

    @Parameters(index = "2")
    private Path ready;

    @Option(names = "--bytes", required = true)
    private long bytes;

    @Option(names = "--parent", required = true)
    private long parentPid;

    BenchWriterCommand() {}

    @Override
    public Integer call() throws Exception {
        BenchContext context = new BenchContext(directory, input, 1, 1, line -> {});
        try (Store store = Store.open(directory, StoreOptions.defaults());
                Arena arena = Arena.ofConfined()) {
            Volume volume = store.volume(RecoveryBench.VOLUME);
            MemorySegment data = context.data(arena, PIECE_BYTES);
            for (long written = 0; written < bytes; written += PIECE_BYTES) {
                ChildJvm.exitWithParent(parentPid);
                volume.write(written % volume.sizeBytes(), data);
                volume.commit();
            }
            Files.createFile(ready);
            commitUntilKilled(volume);
        }
        return 1;
    }

    private void commitUntilKilled(Volume volume) {
        SplittableRandom random = new SplittableRandom(bytes);
        MemorySegment memory = volume.memory();
        long pages = volume.sizeBytes() / volume.pageSizeBytes();
        for (long commit = 0; ; commit++) {
            if (commit % 100 == 0) {
                ChildJvm.exitWithParent(parentPid);
            }
            long page = random.nextLong(pages);
            memory.set(ValueLayout.JAVA_LONG, page * volume.pageSizeBytes(), commit);
            volume.commit();
        }
    }
}
