package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.FaultPlan.Effect;
import org.kvmdb.ffi.FaultPlan.Operation;
import org.kvmdb.ffi.FaultPlan.Rule;

@Timeout(60)
class FaultPlanTest {

    private static final int LENGTH = 8192;
    private static final byte FIRST = 17;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment content = arena.allocate(LENGTH).fill(FIRST);
    private final MemorySegment read = arena.allocate(LENGTH);
    private NativeFile file;

    @BeforeEach
    void create() {
        file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE);
        file.write(0, content);
    }

    @AfterEach
    void free() {
        file.close();
        arena.close();
    }

    private static ErrorCode codeOf(Runnable action) {
        return assertThrows(StorageException.class, action::run).code();
    }

    private long firstDifference() {
        read.fill((byte) 0);
        assertEquals(LENGTH, file.read(0, read));
        return content.mismatch(read);
    }

    @Test
    void shouldFailTheOperationOfThatIndexOnly() {
        try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.EIO, Operation.WRITE).onceAt(2))) {
            file.write(0, content);
            file.write(0, content);
            assertEquals(ErrorCode.IO, codeOf(() -> file.write(0, content)));
            file.write(0, content);
            assertEquals(4, plan.seen(0));
            assertEquals(1, plan.hits(0));
        }
        file.write(0, content);
    }

    @Test
    void shouldFailForEverUntilDisarmed() {
        final FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.ENOSPC, Operation.ALLOCATE, Operation.WRITE).from(1));
        file.write(0, content);
        assertEquals(ErrorCode.STORE_FULL, codeOf(() -> file.write(0, content)));
        assertEquals(ErrorCode.STORE_FULL, codeOf(() -> file.allocate(0, LENGTH)));
        file.flush();
        plan.close();
        file.allocate(0, LENGTH);
        assertEquals(2, plan.hits(0));
    }

    @Test
    void shouldRefuseASecondPlanAndARuleAboutNothing() {
        try (FaultPlan plan = FaultPlan.arm()) {
            assertEquals(ErrorCode.BUSY, codeOf(FaultPlan::arm));
            assertEquals(0, plan.seen(0));
        }
        assertEquals(
                ErrorCode.INVALID, codeOf(() -> FaultPlan.arm(Rule.counting(Operation.READ).about(java.util.Set.of()))));
    }

    @Test
    void shouldTransferTheWholeWhenTransfersAreShortOrInterrupted() {
        for (Rule rule : List.of(
                Rule.of(Effect.SHORT, 512, Operation.READ, Operation.WRITE),
                Rule.failing(Errno.EINTR, Operation.READ, Operation.WRITE, Operation.ALLOCATE).times(50),
                Rule.failing(Errno.EAGAIN, Operation.READ, Operation.WRITE, Operation.ALLOCATE).from(1).times(50))) {
            try (FaultPlan plan = FaultPlan.arm(rule)) {
                file.write(0, content.fill((byte) plan.hashCode()));
                file.allocate(0, LENGTH);
                assertEquals(-1, firstDifference());
                assertTrue(plan.hits(0) >= 30, () -> "hits: " + plan.hits(0));
            }
        }
    }

    @Test
    void shouldGiveUpWhenItIsToBeTriedAgainForEver() {
        try (FaultPlan plan = FaultPlan.arm(
                Rule.failing(Errno.EAGAIN, Operation.READ, Operation.WRITE, Operation.ALLOCATE))) {
            assertEquals(ErrorCode.IO, codeOf(() -> file.read(0, read)));
            assertEquals(ErrorCode.IO, codeOf(() -> file.write(0, content)));
            assertEquals(ErrorCode.IO, codeOf(() -> file.allocate(0, LENGTH)));
            assertTrue(plan.hits(0) > 3);
        }
    }

    @Test
    void shouldEndTheFileEarlyWhenAReadIsShortOfEverything() {
        try (FaultPlan plan = FaultPlan.arm(Rule.of(Effect.SHORT, 0, Operation.READ, Operation.WRITE))) {
            assertEquals(0, file.read(0, read));
            assertEquals(ErrorCode.IO, codeOf(() -> file.write(0, content)));
            assertEquals(2, plan.hits(0));
        }
    }

    @Test
    void shouldFlipABitOfWhatWasRead() {
        try (FaultPlan plan = FaultPlan.arm(Rule.of(Effect.FLIP, 8 * 1000 + 3, Operation.READ))) {
            assertEquals(1000, firstDifference());
            assertEquals(FIRST ^ 1 << 3, read.get(ValueLayout.JAVA_BYTE, 1000));
            assertEquals(1, plan.hits(0));
        }
        assertEquals(-1, firstDifference());
    }

    @Test
    void shouldReadAndWriteElsewhere() {
        final MemorySegment other = arena.allocate(LENGTH).fill((byte) 99);
        try (FaultPlan plan = FaultPlan.arm(Rule.of(Effect.MISPLACE, LENGTH, Operation.WRITE))) {
            file.write(0, other);
            assertEquals(1, plan.hits(0));
        }
        assertEquals(-1, firstDifference());
        try (FaultPlan plan = FaultPlan.arm(Rule.of(Effect.MISPLACE, LENGTH, Operation.READ))) {
            assertEquals(0, firstDifference());
            assertEquals(-1, other.mismatch(read));
            assertEquals(1, plan.hits(0));
        }
    }

    @Test
    void shouldSayThatItWasDoneWhenItWasNot() {
        try (FaultPlan plan = FaultPlan.arm(
                Rule.of(Effect.SKIP, 0, Operation.WRITE, Operation.FLUSH, Operation.TRUNCATE))) {
            file.write(0, arena.allocate(LENGTH));
            file.flush();
            file.truncate(0);
            assertEquals(3, plan.hits(0));
        }
        assertEquals(-1, firstDifference());
    }

    @Test
    void shouldTellFilesWithANameFromThoseWithout() throws IOException {
        final Path path = directory.resolve("g");
        try (NativeFile unnamed = NativeFile.open(directory, NativeFile.UNNAMED);
                NativeFile other = NativeFile.open(path, NativeFile.CREATE);
                FaultPlan plan = FaultPlan.arm(
                        Rule.failing(Errno.EIO, Operation.WRITE).onUnnamedFiles(),
                        Rule.failing(Errno.ENOSPC, Operation.WRITE).on(path),
                        Rule.counting(Operation.WRITE).onNamedFiles())) {
            file.write(0, content);
            assertEquals(ErrorCode.IO, codeOf(() -> unnamed.write(0, content)));
            assertEquals(ErrorCode.STORE_FULL, codeOf(() -> other.write(0, content)));
            assertEquals(1, plan.seen(0));
            assertEquals(1, plan.seen(1));
            assertEquals(2, plan.seen(2));
            assertEquals(0, plan.hits(2));
        }
    }

    @Test
    void shouldHangUntilDisarmed() throws InterruptedException {
        final FaultPlan plan = FaultPlan.arm(Rule.of(Effect.HANG, 0, Operation.FLUSH));
        final Thread thread = Thread.ofPlatform().start(file::flush);
        while (plan.hits(0) == 0) {
            Thread.onSpinWait();
        }
        file.write(0, content);
        assertTrue(thread.isAlive());
        plan.close();
        assertTrue(thread.join(java.time.Duration.ofSeconds(30)));
    }

    @Test
    void shouldFailWhatTheShimAllocates() {
        for (Operation operation : List.of(Operation.MEMORY, Operation.OPEN_MEMORY, Operation.OPEN)) {
            try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.ENOMEM, operation).onceAt(0))) {
                assertEquals(ErrorCode.IO, codeOf(() -> {
                    NativeMemory.reserve(4096).close();
                    NativeFile.inMemory("f").close();
                    NativeFile.open(directory.resolve("f"), 0).close();
                }));
                assertEquals(1, plan.hits(0));
            }
        }
    }

    @Test
    void shouldKillTheProcessBeforeOrAfterTheOperation() throws Exception {
        for (Effect effect : List.of(Effect.KILL_BEFORE, Effect.KILL_AFTER)) {
            final Process child = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Child.class.getName(),
                            directory.resolve("f").toString(),
                            effect.name())
                    .inheritIO()
                    .start();
            assertTrue(child.waitFor(50, TimeUnit.SECONDS));
            assertEquals(128 + 9, child.exitValue());
            assertEquals(effect == Effect.KILL_AFTER ? Child.LATER_LENGTH : LENGTH, file.sizeBytes());
        }
    }

    /** Truncates the file twice; the plan is about the second time. */
    static final class Child {

        static final int LATER_LENGTH = 100;

        private Child() {}

        public static void main(String[] arguments) {
            try (NativeFile file = NativeFile.open(Path.of(arguments[0]), 0);
                    FaultPlan plan = FaultPlan.arm(
                            Rule.of(Effect.valueOf(arguments[1]), 0, Operation.TRUNCATE).onceAt(1))) {
                file.truncate(LENGTH);
                file.truncate(LATER_LENGTH);
                System.err.println("still alive after " + plan.hits(0) + " kills");
            }
        }
    }
}
