package org.kvmdb.journal.planted;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.kvmdb.journal.planted.Patch.Call;
import org.kvmdb.journal.planted.Patch.Redirect;

/** The checks that bugs are hunted with, over a journal that was loaded with patches. */
final class Checks {

    /** Names of checks that find something wrong by themselves, but for one, begin so. */
    static final String BEHIND = "behind-";

    /** No bug: a way in for commits that come while a checkpoint is under way. */
    private static final Patch COMMITS_WITHIN_CHECKPOINTS =
            Patch.of("Checkpointer", "writeNodes", new Redirect(Call.of("StoredNode", "toImage"), "toImage"));

    private final BiFunction<String, Long, Map<String, Object>> checks;

    /**
     * What a check found.
     *
     * @param cases that it tried
     * @param wrong what it noticed, or nothing
     */
    record Result(long cases, String wrong) {
        boolean isRight() {
            return wrong.isEmpty();
        }
    }

    @SuppressWarnings("unchecked")
    Checks(List<Patch> patches, PatchingClassLoader.Instrument instrument) {
        final List<Patch> all = new ArrayList<>(patches);
        all.add(COMMITS_WITHIN_CHECKPOINTS);
        checks = new PatchingClassLoader(Checks.class.getClassLoader(), all, instrument).make("BugChecks", BiFunction.class);
    }

    @SuppressWarnings("unchecked")
    List<String> names() {
        return (List<String>) checks.apply("", 0L).get("checks");
    }

    Result run(String check, long seed) {
        final Map<String, Object> result = checks.apply(check, seed);
        return new Result((Long) result.get("cases"), (String) result.get("wrong"));
    }
}
