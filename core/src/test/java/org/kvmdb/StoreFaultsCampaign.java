package org.kvmdb;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;

/**
 * A whole store, with a fault at one operation of the shim after the other, once and from then on.
 *
 * <p>Options: {@code kind}, a {@link FaultKind}; {@code index} and {@code persistent}, to repeat one case; {@code step}, how
 * many indices from one to the next.
 */
public final class StoreFaultsCampaign implements Campaign {

    /** A case takes a fraction of a second. */
    private static final int CASE_SECONDS_MAX = 90;

    @Override
    public String name() {
        return "store-faults";
    }

    @Override
    public String description() {
        return "A store in use by several threads goes on, or fails with a typed exception, whatever operation on its device,"
                + " its spill areas or its memory fails; no wrong byte, no hang, nothing left behind, no acknowledged commit lost";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        try (Run run = new Run(plan)) {
            return run.run();
        }
    }

    /** One run of the campaign. */
    private static final class Run implements AutoCloseable {

        private final CampaignPlan plan;
        private final CampaignTally tally;
        private FaultChild child;
        private int children;
        private long hits;
        private long readsServed;

        Run(CampaignPlan plan) {
            this.plan = plan;
            this.tally = new CampaignTally("store-faults", plan);
        }

        CampaignReport run() {
            final Map<String, String> options = plan.options();
            final List<FaultKind> kinds = options.containsKey("kind")
                    ? List.of(FaultKind.valueOf(options.get("kind")))
                    : Arrays.asList(FaultKind.values());
            for (FaultKind kind : kinds) {
                if (!tally.isFullOfFindings()) {
                    run(kind);
                }
            }
            tally.note("faults that struck", Long.toString(hits));
            tally.note("reads by other threads while faults were armed", Long.toString(readsServed));
            return tally.report();
        }

        private void run(FaultKind kind) {
            final Map<String, String> options = plan.options();
            if (options.containsKey("index")) {
                final long index = Long.parseLong(options.get("index"));
                runCase(kind, index, Boolean.parseBoolean(options.getOrDefault("persistent", "false")));
                return;
            }
            final long operations = runCase(kind, -1, false);
            final long step = stepFor(kind, operations);
            final SplittableRandom random = new SplittableRandom(plan.seed() + kind.ordinal());
            for (long index = random.nextLong(step); index < operations; index += step) {
                for (boolean persistent : new boolean[] {false, true}) {
                    if (tally.isFullOfFindings()) {
                        return;
                    }
                    runCase(kind, index, persistent);
                }
            }
        }

        private long stepFor(FaultKind kind, long operations) {
            if (plan.options().containsKey("step")) {
                return Long.parseLong(plan.options().get("step"));
            }
            final boolean isOpening = kind.place() == FaultKind.Place.OPENING;
            final long cases = isOpening ? plan.size(1, 4, Integer.MAX_VALUE) : plan.size(1, 2, Integer.MAX_VALUE);
            return Math.max(1, Math.ceilDiv(operations, cases));
        }

        /** Returns how many operations there were. */
        private long runCase(FaultKind kind, long index, boolean persistent) {
            try {
                if (child == null) {
                    child = new FaultChild(plan.directory().resolve("child-" + children++), plan.seed());
                }
                final FaultChild.Outcome outcome = child.run(kind, index, persistent, CASE_SECONDS_MAX);
                tally.add(kind.name());
                if (outcome == null) {
                    found(kind, index, persistent, child.lastWords());
                    close();
                    return 0;
                }
                outcome.findings().stream().limit(3).forEach(what -> found(kind, index, persistent, what));
                hits += outcome.hits();
                readsServed += outcome.readsServed();
                return outcome.seen();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }

        @Override
        public void close() {
            if (child != null) {
                child.close();
                child = null;
            }
        }

        private void found(FaultKind kind, long index, boolean persistent, String what) {
            tally.found(new Finding(
                    "%s at operation %d%s: %s".formatted(kind, index, persistent ? " and all behind it" : "", what),
                    "kvmdb crashtest --only store-faults --seed %d --option kind=%s --option index=%d --option persistent=%s"
                            .formatted(plan.seed(), kind, index, persistent),
                    ""));
        }
    }
}
