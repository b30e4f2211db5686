package org.kvmdb.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

@Timeout(60)
class ScopesTest {

    private final Scopes.Gate gate = new Scopes.Gate();
    private final Scopes a = new Scopes(gate);
    private final Scopes b = new Scopes(gate);
    private final Scopes c = new Scopes(gate);

    @Test
    void shouldKnowWhetherTheThreadIsInAScope() {
        gate.checkOutside("commit");
        a.enter();
        a.enter();
        a.leave();
        final StorageException e = assertThrows(StorageException.class, () -> gate.checkOutside("commit"));
        assertEquals(ErrorCode.BUSY, e.code());
        a.leave();
        gate.checkOutside("commit");
    }

    @Test
    void shouldBelongToTheThreadThatOpenedIt() throws Exception {
        a.enter();
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            other.submit(() -> {
                        gate.checkOutside("commit");
                        assertThrows(IllegalStateException.class, a::leave);
                    })
                    .get(10, TimeUnit.SECONDS);
        }
        a.leave();
    }

    @Test
    void shouldNotWaitForAThreadThatEndedWithinAScope() throws Exception {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            final CountDownLatch mayEnd = new CountDownLatch(1);
            final Thread forgetful = Thread.ofPlatform().name("forgetful").start(() -> {
                b.enter();
                b.enter();
                b.leave();
                awaitQuietly(mayEnd);
            });
            while (forgetful.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            b.checkNotAbandoned();
            final Future<Boolean> lock = threads.submit(() -> Scopes.tryLock(gate, List.of(a, b)));
            mayEnd.countDown();
            assertFalse(lock.get(30, TimeUnit.SECONDS));
            a.checkNotAbandoned();
            final StorageException e = assertThrows(StorageException.class, b::checkNotAbandoned);
            assertEquals(ErrorCode.BUSY, e.code());
            assertTrue(e.getMessage().contains("'forgetful'"), e.getMessage());
            a.enter(); // it is open again, and so is the other one
            b.enter();
            b.leave();
            a.leave();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void shouldKeepOutermostScopesOutWhileOneIsWaitedFor() throws Exception {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            a.enter();
            final Future<Boolean> lock = threads.submit(() -> Scopes.tryLock(gate, List.of(a, b)));
            Thread.sleep(50);
            final Future<?> outermost = threads.submit(() -> {
                b.enter();
                b.leave();
            });
            Thread.sleep(50);
            assertFalse(lock.isDone());
            assertFalse(outermost.isDone());
            // This thread is in a scope, so it goes on, into either.
            b.enter();
            a.enter();
            a.leave();
            b.leave();
            a.leave();
            assertTrue(lock.get(10, TimeUnit.SECONDS));
            assertFalse(outermost.isDone());
            Scopes.unlock(gate, List.of(a, b));
            outermost.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldNotLockWhileAPinIsOpen() {
        a.addWritePin();
        assertFalse(Scopes.tryLock(gate, List.of(b, a)));
        // Nothing is left locked.
        a.enter();
        b.enter();
        b.leave();
        a.leave();
        a.removeWritePin();
        assertTrue(Scopes.tryLock(gate, List.of(b, a)));
        Scopes.unlock(gate, List.of(b, a));
    }

    /** Whatever fails first while others are kept out already, it leaves nothing locked. */
    @Test
    void shouldLeaveNothingLockedWhenThereIsNoMemoryForIt() throws Exception {
        int failures = 0;
        final FailingList failing = new FailingList(List.of(a, b, c));
        for (boolean isLocked = false; !isLocked; failures++) {
            failing.left = failures;
            try {
                isLocked = Scopes.tryLock(gate, failing);
            } catch (OutOfMemoryError e) {
                // By a daemon thread: the test shall not wait for one that hangs.
                CompletableFuture.runAsync(() -> {
                            for (Scopes scopes : List.of(a, b, c)) {
                                scopes.enter();
                                scopes.leave();
                            }
                        })
                        .get(10, TimeUnit.SECONDS);
            }
        }
        assertTrue(failures > 3, "failures: " + failures);
        Scopes.unlock(gate, List.of(a, b, c));
    }

    /** There is no memory for the access after so many, once. */
    private static final class FailingList extends AbstractList<Scopes> {
        private final List<Scopes> all;
        private int left;

        FailingList(List<Scopes> all) {
            this.all = all;
        }

        @Override
        public Scopes get(int index) {
            if (left-- == 0) {
                throw new OutOfMemoryError("for a moment");
            }
            return all.get(index);
        }

        @Override
        public int size() {
            return all.size();
        }
    }

    @Test
    void shouldGiveUpWaitingForPinsWhenInterrupted() {
        a.addWritePin();
        Thread.currentThread().interrupt();
        assertThrows(StorageException.class, a::awaitNoWritePins);
        assertTrue(Thread.interrupted());
        a.removeWritePin();
        a.awaitNoWritePins();
    }

    /** Threads nest scopes of three regions in any order; whoever locks sees nobody inside. */
    @Test
    void shouldExcludeEverybodyAndNeverHang() throws Exception {
        final List<Scopes> all = List.of(a, b, c);
        final AtomicInteger inside = new AtomicInteger();
        final AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            final List<Future<?>> users = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                final Random random = new Random(t);
                users.add(threads.submit(() -> {
                    while (!stop.get()) {
                        nest(all, random, inside, 3);
                    }
                }));
            }
            for (int i = 0; i < 3000; i++) {
                assertTrue(Scopes.tryLock(gate, all));
                assertEquals(0, inside.get());
                Scopes.unlock(gate, all);
            }
            stop.set(true);
            for (Future<?> user : users) {
                user.get(10, TimeUnit.SECONDS);
            }
        }
    }

    private static void nest(List<Scopes> all, Random random, AtomicInteger inside, int depth) {
        final Scopes scopes = all.get(random.nextInt(all.size()));
        scopes.enter();
        inside.incrementAndGet();
        if (random.nextInt(10) == 0) {
            Thread.yield();
        }
        if (depth > 1) {
            nest(all, random, inside, depth - 1);
        }
        inside.decrementAndGet();
        scopes.leave();
    }
}
