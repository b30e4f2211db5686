package org.kvmdb.tools.kill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.tools.kill.CounterChild.Way;
import org.kvmdb.tools.kill.KillCycle.Aim;
import org.kvmdb.tools.kill.KillOutcome.Death;

/** The loop itself: that it notices what is wrong, and only that. */
@Timeout(300)
class KillLoopTest {

    private static final int SHORT_SECONDS = 12;

    @TempDir
    Path directory;

    /** Counts children and checks of what they left. */
    private record Counting(Way way) implements KillSubject {

        @Override
        public Class<?> child() {
            return CounterChild.class;
        }

        @Override
        public List<String> arguments(KillCycle cycle) {
            return List.of(way.name());
        }

        @Override
        public long recordBytes() {
            return Long.BYTES;
        }

        @Override
        public void prepare(KillCycle cycle, Path store, KillRecord record) {}

        @Override
        public void check(KillCycle cycle, Path store, KillRecord record) {
            long said = record.body().get(ValueLayout.JAVA_LONG, 0);
            if (said == 0) {
                return;
            }
            try (Store opened = Store.open(store, CounterChild.OPTIONS)) {
                long found = opened.volume("counter").memory().get(ValueLayout.JAVA_LONG, 0);
                KillFailure.check(found >= said, "lost: said %d, found %d", said, found);
                KillFailure.check(found <= said + 1, "too much: said %d, found %d", said, found);
            }
        }
    }

    private KillLoop loop(Way way) throws IOException {
        return new KillLoop(
                new Counting(way), directory.resolve("loop"), ChildArchive.in(directory.resolve("archive")));
    }

    private static KillCycle cycle(int number, Aim aim) {
        return new KillCycle(number, number * 77L, aim, null, false);
    }

    @Test
    void shouldFindNothingWhenTheChildIsHonest() throws Exception {
        try (KillLoop loop = loop(Way.HONEST)) {
            loop.train();
            assertTrue(Files.exists(directory.resolve("archive/children.aot")));
            for (Aim aim : List.of(Aim.WORK, Aim.RECOVERY, Aim.WORK, Aim.CLOSE)) {
                KillOutcome outcome = loop.run(cycle(aim.ordinal(), aim));
                assertTrue(outcome.death() == Death.KILLED || aim == Aim.CLOSE, outcome::kind);
            }
            KillCycle atFlush = new KillCycle(
                    9, 9, Aim.SYSTEM_CALL, SystemCallKill.parse("FLUSH:2:true"), false);
            KillOutcome outcome = loop.run(atFlush);
            assertEquals(Death.SYSTEM_CALL, outcome.death());
            assertEquals("killed after a flush", outcome.kind());
        }
    }

    @Test
    void shouldNoticeAnAcknowledgementThatComesTooEarly() throws Exception {
        try (KillLoop loop = loop(Way.EARLY)) {
            KillFailure failure = assertThrows(KillFailure.class, () -> {
                for (int number = 0; number < 50; number++) {
                    loop.run(cycle(number, Aim.WORK));
                }
            });
            assertTrue(failure.getMessage().startsWith("lost: said "), failure.getMessage());
        }
    }

    @Test
    void shouldTellWhatTheChildSaidWhenItFails() throws Exception {
        try (KillLoop loop = loop(Way.FAILING)) {
            KillFailure failure = assertThrows(KillFailure.class, () -> loop.run(cycle(0, Aim.ENDURANCE)));
            assertTrue(failure.getMessage().contains("code 1 in phase WORKING"), failure.getMessage());
            assertTrue(failure.getMessage().contains("this child fails"), failure.getMessage());
        }
    }

    @Test
    void shouldShowTheThreadsOfAChildThatHangs() throws Exception {
        ChildArchive archive = ChildArchive.in(directory.resolve("archive"));
        try (KillLoop loop =
                new KillLoop(new Counting(Way.HANGING), directory.resolve("loop"), archive, SHORT_SECONDS)) {
            KillFailure failure = assertThrows(KillFailure.class, () -> loop.run(cycle(0, Aim.WORK)));
            assertTrue(failure.getMessage().contains("hangs: 12 s"), failure.getMessage());
            assertTrue(failure.getMessage().contains("CounterChild.run"), failure.getMessage());
        }
    }
}
