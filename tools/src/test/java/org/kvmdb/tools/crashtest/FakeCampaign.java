package org.kvmdb.tools.crashtest;

import java.util.SplittableRandom;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.PlantedBug;

/** Tries nothing, and finds what its options say: {@code finds=WHAT}, {@code misses=BUG}, {@code breaks=WHY}. */
public final class FakeCampaign implements Campaign {

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public String description() {
        return "Tries nothing at all.";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        if (plan.options().containsKey("breaks")) {
            throw new IllegalStateException(plan.options().get("breaks"));
        }
        CampaignTally tally = new CampaignTally(name(), plan);
        tally.expect(plan.size(10, 1000, 1_000_000));
        tally.add("torn at 512 bytes", plan.size(10, 900, 900_000));
        tally.add("lost <write>", plan.size(0, 100, 100_000));
        tally.isNew(1);
        tally.trace(new SplittableRandom(plan.seed()).nextLong());
        tally.planted(new PlantedBug("skips a flush", "durable: commit 3 is gone", 17));
        tally.note("directory", plan.directory().toFile().isDirectory() ? "is there" : "is missing");
        if (plan.options().containsKey("misses")) {
            tally.planted(new PlantedBug(plan.options().get("misses"), "", 1000));
        }
        if (plan.options().containsKey("finds")) {
            tally.found(new Finding(
                    plan.options().get("finds"), "kvmdb crashtest --only fake --option state=5", "put 1\ncommit"));
        }
        return tally.report();
    }
}
