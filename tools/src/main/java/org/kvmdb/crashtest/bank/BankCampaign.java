package org.kvmdb.crashtest.bank;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.kvmdb.crashtest.CrashTest;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;

/** The bank beside the store's own proof: what users do with the library holds, too. */
public final class BankCampaign implements Campaign {

    @Override
    public String name() {
        return "bank";
    }

    @Override
    public String description() {
        return "in the example for workloads of users, a bank in two volumes of a whole store, power cuts, failing devices and"
                + " kills neither make nor lose money";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        try {
            return CrashTest.of(new BankWorkload(), new BankChecker())
                    .seed(plan.seed())
                    .steps(plan.size(8, 20, 400))
                    .states(plan.size(50, 400, 50_000))
                    .recoveries(plan.size(2, 20, 2_000))
                    .faults(plan.size(20, 60, 5_000))
                    .kills(plan.size(1, 4, 500))
                    .threads(plan.threads())
                    .progress(plan.progress())
                    .run(plan.directory(), name())
                    .campaign();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
