package org.kvmdb.journal.planted;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.PlantedBug;

/**
 * Plants bugs in the store, one at a time, and looks whether the harness notices.
 *
 * <p>Option: {@code bug} takes that one alone, {@code NONE} the checks without a bug.
 */
public final class PlantedBugsCampaign implements Campaign {

    private static final String OPTION_BUG = "bug";
    private static final String NONE = "NONE";

    /** Of a smaller scale one bug in some is planted, from one on that the seed decides. */
    private static final int SMOKE_STRIDE = 12;

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
        final List<Hunt> hunts = hunts(plan);
        tally.expect(hunts.size());
        final Checks sound = new Checks(List.of(), PatchingClassLoader.Instrument.NONE);
        if (isWanted(plan, NONE)) {
            hunts.stream().map(Hunt::control).distinct().forEach(check -> control(plan, tally, sound, check));
        }
        for (Hunt hunt : NONE.equals(plan.options().get(OPTION_BUG)) ? List.<Hunt>of() : hunts) {
            final Checks checks =
                    hunt.patches.isEmpty() ? sound : new Checks(hunt.patches, PatchingClassLoader.Instrument.NONE);
            final Checks.Result result = checks.run(hunt.check, plan.seed());
            tally.add("bugs planted");
            tally.trace(CampaignTally.mix(hunt.name.hashCode()) + result.cases());
            tally.planted(new PlantedBug(
                    hunt.what, result.isRight() ? "" : "%s: %s".formatted(hunt.check, result.wrong()), result.cases()));
        }
        return tally.report();
    }

    private void control(CampaignPlan plan, CampaignTally tally, Checks sound, String check) {
        final Checks.Result result = sound.run(check, plan.seed());
        tally.add("cases without a bug", result.cases());
        tally.trace(CampaignTally.mix(check.hashCode()) + result.cases());
        if (!result.isRight()) {
            tally.found(new Finding(
                    "without a bug, %s: %s".formatted(check, result.wrong()),
                    "kvmdb crashtest --only %s --seed %d --option %s=%s".formatted(name(), plan.seed(), OPTION_BUG, NONE),
                    ""));
        }
    }

    // ---- which ----

    /** A bug, and the check that is to notice it. Without patches it is the check itself that leaves what the bug would. */
    private record Hunt(String name, String what, String check, List<Patch> patches) {
        String control() {
            return patches.isEmpty() ? Checks.BEHIND + NONE : check;
        }
    }

    private static List<Hunt> hunts(CampaignPlan plan) {
        final List<Hunt> all = new ArrayList<>();
        for (Bug bug : Bug.values()) {
            all.add(new Hunt(bug.name(), bug.what(), bug.check(), bug.patches()));
        }
        for (String check : new Checks(List.of(), PatchingClassLoader.Instrument.NONE).names()) {
            if (check.startsWith(Checks.BEHIND) && !check.endsWith(NONE)) {
                final String name = check.substring(Checks.BEHIND.length());
                all.add(new Hunt(name, name.toLowerCase(Locale.ROOT).replace('_', ' '), check, List.of()));
            }
        }
        final List<Hunt> result = new ArrayList<>();
        final int stride = plan.options().containsKey(OPTION_BUG) ? 1 : plan.size(SMOKE_STRIDE, 1, 1);
        for (int i = (int) Long.remainderUnsigned(plan.seed(), stride); i < all.size(); i += stride) {
            if (isWanted(plan, all.get(i).name) || isWanted(plan, NONE)) {
                result.add(all.get(i));
            }
        }
        return result;
    }

    private static boolean isWanted(CampaignPlan plan, String bug) {
        final String wanted = plan.options().get(OPTION_BUG);
        return wanted == null || wanted.equals(bug);
    }
}
