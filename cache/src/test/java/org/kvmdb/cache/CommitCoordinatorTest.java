package org.kvmdb.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who leads and who waits, with commits that only take time. */
@Timeout(60)
class CommitCoordinatorTest {

    private static final int THREADS = 8;

    private static long commit(CommitCoordinator coordinator) {
        return coordinator.commit(Set.of(), false, true, null);
    }

    /**
     * Threads that come back at once, and some that do not, so that groups are complete, wait in vain and are led by those that
     * watch; some groups fail.
     */
    @Test
    void shouldEndEachCommitOnceInOneGroup() throws Exception {
        final int commitsPerThread = 8_000;
        final AtomicBoolean isCommitting = new AtomicBoolean();
        final AtomicLong requests = new AtomicLong();
        final AtomicLong groups = new AtomicLong();
        final CommitCoordinator coordinator = new CommitCoordinator(group -> {
            assertTrue(isCommitting.compareAndSet(false, true), "two groups at a time");
            final long sequence = groups.incrementAndGet();
            requests.addAndGet(group.size());
            group.forEach(request -> request.sequence(sequence));
            LockSupport.parkNanos(1);
            isCommitting.set(false);
            if (sequence % 97 == 0) {
                throw new IllegalStateException(Long.toString(sequence));
            }
        });
        // Not closed: that would wait for a thread that hangs.
        final ExecutorService threads =
                Executors.newFixedThreadPool(THREADS, Thread.ofPlatform().daemon().factory());
        final List<Future<Long>> counts = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            final SplittableRandom random = new SplittableRandom(thread);
            counts.add(threads.submit(() -> commitOften(coordinator, commitsPerThread, random)));
        }
        long acknowledged = 0;
        for (Future<Long> count : counts) {
            acknowledged += count.get(40, TimeUnit.SECONDS);
        }
        threads.shutdown();
        assertEquals((long) THREADS * commitsPerThread, requests.get());
        assertEquals(coordinator.commits(), acknowledged);
        assertTrue(acknowledged < requests.get(), "none failed");
        assertTrue(groups.get() < requests.get(), "none shared a group");
    }

    /** Returns how many did not fail. Each sequence is greater than the one before. */
    private static long commitOften(CommitCoordinator coordinator, int commits, SplittableRandom random) {
        long acknowledged = 0;
        long before = 0;
        for (int i = 0; i < commits; i++) {
            if (random.nextInt(50) == 0) {
                LockSupport.parkNanos(random.nextInt(100_000));
            }
            long sequence;
            try {
                sequence = commit(coordinator);
                acknowledged++;
            } catch (IllegalStateException e) {
                sequence = Long.parseLong(e.getMessage());
            }
            assertTrue(sequence > before, sequence + " after " + before);
            before = sequence;
        }
        return acknowledged;
    }

    /** Two threads that come back at once come to share their groups; one that is left alone does not wait for ever. */
    @Test
    void shouldWaitForThoseWhoseCommitsHaveJustEnded() throws Exception {
        final List<Integer> groups = Collections.synchronizedList(new ArrayList<>());
        final CommitCoordinator coordinator = new CommitCoordinator(
                group -> {
                    groups.add(group.size());
                    pause(300_000_000);
                },
                new Gathering(Long.MAX_VALUE));
        final Thread other = Thread.ofPlatform().daemon().start(() -> commitTimes(coordinator, 5));
        commitTimes(coordinator, 5);
        other.join();
        assertTrue(groups.contains(2), groups.toString());
        Thread.currentThread().interrupt();
        commitTimes(coordinator, 3);
        assertTrue(Thread.interrupted());
        assertEquals(13, coordinator.commits());
        assertEquals(1, groups.getLast());
    }

    /** After each commit it does something else for a while, but for less than a group waits. */
    private static void commitTimes(CommitCoordinator coordinator, int times) {
        for (int i = 0; i < times; i++) {
            commit(coordinator);
            pause(5_000_000);
        }
    }

    /** Also when interrupted. */
    private static void pause(long nanos) {
        final long endNanos = System.nanoTime() + nanos;
        for (long rest = nanos; rest > 0; rest = endNanos - System.nanoTime()) {
            LockSupport.parkNanos(rest);
        }
    }

    @Test
    void shouldNotCutACommitShortWhenItsOwnerIsInterrupted() throws Exception {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch mayEnd = new CountDownLatch(1);
        final CommitCoordinator coordinator = new CommitCoordinator(group -> {
            if (begun.getCount() > 0) {
                begun.countDown();
                await(mayEnd);
            }
            group.forEach(request -> request.sequence(1));
        });
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            final Future<Long> first = threads.submit(() -> commit(coordinator));
            begun.await();
            final AtomicBoolean stayedInterrupted = new AtomicBoolean();
            final Thread second = Thread.ofPlatform().start(() -> {
                commit(coordinator);
                stayedInterrupted.set(Thread.interrupted());
            });
            while (second.getState() != Thread.State.WAITING) {
                assertTrue(second.isAlive(), "it did not wait");
            }
            second.interrupt();
            mayEnd.countDown();
            assertEquals(1, first.get());
            second.join();
            assertTrue(stayedInterrupted.get());
            assertEquals(2, coordinator.commits());
        }
        assertFalse(Thread.interrupted());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
