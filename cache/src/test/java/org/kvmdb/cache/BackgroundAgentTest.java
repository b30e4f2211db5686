package org.kvmdb.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NoOpIdleStrategy;
import org.junit.jupiter.api.Test;

class BackgroundAgentTest {

    /** Works, has no memory for a moment, and works again. */
    private static final class Forgetful implements Agent {
        private final CountDownLatch worked = new CountDownLatch(2);
        private boolean hasFailed;

        @Override
        public int doWork() {
            if (worked.getCount() == 1 && !hasFailed) {
                hasFailed = true;
                throw new OutOfMemoryError("for a moment");
            }
            worked.countDown();
            return 1;
        }

        @Override
        public String roleName() {
            return "forgetful";
        }
    }

    @Test
    void shouldGoOnAfterAnErrorOfTheVirtualMachine() throws InterruptedException {
        final Forgetful agent = new Forgetful();
        final List<Throwable> told = new CopyOnWriteArrayList<>();
        try (BackgroundAgent _ = new BackgroundAgent(agent, NoOpIdleStrategy.INSTANCE, told::add)) {
            assertTrue(agent.worked.await(30, TimeUnit.SECONDS));
            assertEquals(List.of("for a moment"), told.stream().map(Throwable::getMessage).toList());
        }
    }

    @Test
    void shouldGoOnWhenThereIsNoMemoryToTellOfItEither() throws InterruptedException {
        final Forgetful agent = new Forgetful();
        final ErrorHandler forgetful = failure -> {
            throw new OutOfMemoryError("for a moment, too");
        };
        try (BackgroundAgent _ = new BackgroundAgent(agent, NoOpIdleStrategy.INSTANCE, forgetful)) {
            assertTrue(agent.worked.await(30, TimeUnit.SECONDS));
        }
    }
}
