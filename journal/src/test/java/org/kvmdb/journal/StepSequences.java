package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.List;

/** Every sequence of up to three operations out of all that there are, behind a beginning that gives each a meaning. */
final class StepSequences {

    static final int LENGTH_MAX = 3;

    /** Two volumes, snapshots, a clone; pages of two leaves; something stolen, something being deleted. */
    static final List<Step> BEGINNING = Step.parseAll("""
            create a 2457600 12; create b 65536 13; put a 0-9; put a 520,521; put b 0,1; snapshot a s0; put a 0-2; checkpoint
            snapshot a s1; put a 3,520; snapshot a s2; put a 4; clone a@s0 c; put c 1; delete-snapshot a@s2; put a 5
            steal a 30-32
            """);

    /** One step or some; {@code #} stands for the place in the sequence, so that twice the same is not twice the same. */
    private static final List<String> VOCABULARY = List.of(
            "put a 1#", "put a 10#-14#", "put a 0-3,520", "put-async a 2#; put-async c 1,2#; sync", "put-async a 6#",
            "trim a 1,52#", "steal a 4#,30", "commit-stolen", "drop-stolen", "abandon a 6#-7#", "snapshot a n#",
            "put-snapshot a 7,8# m#", "clone a@s0 d#", "roll-back a@s0", "delete-snapshot a@s1", "drop 2", "delete b",
            "resize a 2867200", "resize a 40960", "clean 2", "prepare", "punch 2", "checkpoint", "offer-dictionary; checkpoint", "close", "kill",
            "send a@s1 r#", "quota a 409600");

    private StepSequences() {}

    static int operations() {
        return VOCABULARY.size();
    }

    /** How many sequences there are of that length. */
    static int count(int length) {
        int count = 1;
        for (int i = 0; i < length; i++) {
            count *= VOCABULARY.size();
        }
        return count;
    }

    /** Operations of a sequence of that length, by its number; each is some steps. */
    static List<List<Step>> sequence(int length, int number) {
        final List<List<Step>> operations = new ArrayList<>();
        int rest = number;
        for (int i = 0; i < length; i++) {
            operations.add(Step.parseAll(VOCABULARY.get(rest % VOCABULARY.size()).replace("#", Integer.toString(i + 1))));
            rest /= VOCABULARY.size();
        }
        return operations;
    }
}
