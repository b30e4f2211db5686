package org.kvmdb.journal.planted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.PlantedBug;

/** Plants bugs in the store, one at a time, and looks whether the harness notices. */
public final class PlantedBugsCampaign implements Campaign {

    private static final String CHECKS = "BugChecks";
    private static final String OPTION_BUG = "bug";

    /** No bug: a way in for steps that come while a checkpoint is under way. */
    private static final Patch COMMITS_WITHIN_CHECKPOINTS = Patch.of(
            "Checkpointer", "writeNodes", new Patch.Redirect(Patch.Call.of("StoredNode", "toImage"), "toImage"));

    @Override
    public String name() {
        return "planted-bugs";
    }

    @Override
    public String description() {
        return "each of a list of bugs, planted in the store's code as it is loaded, is noticed, and nothing is without one";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        final String only = plan.options().get(OPTION_BUG);
        final List<Bug> bugs = Arrays.stream(Bug.values())
                .filter(bug -> only == null || bug.name().equals(only))
                .toList();
        tally.expect(2L * bugs.size());
        final BiFunction<String, Long, Map<String, Object>> sound = checks(List.of());
        bugs.stream().map(Bug::check).distinct().forEach(check -> {
            final Map<String, Object> result = sound.apply(check, plan.seed());
            tally.add("checks without a bug", (Long) result.get("cases"));
            final String wrong = (String) result.get("wrong");
            if (!wrong.isEmpty()) {
                tally.found(new Finding("without a bug, %s: %s".formatted(check, wrong), repeat(plan, bugs, check), ""));
            }
        });
        for (Bug bug : bugs) {
            final Map<String, Object> result = checks(bug.patches()).apply(bug.check(), plan.seed());
            final long cases = (Long) result.get("cases");
            final String wrong = (String) result.get("wrong");
            tally.add("cases with a bug", cases);
            tally.trace(31L * bug.ordinal() + cases);
            tally.planted(new PlantedBug(
                    bug.what(), wrong.isEmpty() ? "" : "%s: %s".formatted(bug.check(), wrong), cases));
        }
        return tally.report();
    }

    private static String repeat(CampaignPlan plan, List<Bug> bugs, String check) {
        final Bug one = bugs.stream().filter(bug -> bug.check().equals(check)).findFirst().orElseThrow();
        return "kvmdb crashtest --only planted-bugs --seed %d --option %s=%s".formatted(plan.seed(), OPTION_BUG, one);
    }

    @SuppressWarnings("unchecked")
    private static BiFunction<String, Long, Map<String, Object>> checks(List<Patch> bug) {
        final List<Patch> patches = new ArrayList<>(bug);
        patches.add(COMMITS_WITHIN_CHECKPOINTS);
        return new PatchingClassLoader(
                        PlantedBugsCampaign.class.getClassLoader(), patches, PatchingClassLoader.Instrument.NONE)
                .make(CHECKS, BiFunction.class);
    }
}
