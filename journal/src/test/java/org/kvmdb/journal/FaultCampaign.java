package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.Finding;

/**
 * Every workload with every fault, once and persistently, in every operation of the device. What must hold then is told at
 * {@link FaultRun}.
 *
 * <p>Options: {@code workload}, {@code operation}, {@code fault}, {@code persistent} and {@code index} take only the cases
 * that have these.
 */
public final class FaultCampaign implements Campaign {

    private static final JournalOptions STORE = Workload.tinyOptions();

    @Override
    public String name() {
        return "faults";
    }

    @Override
    public String description() {
        return "Whatever operation of the device fails, in whatever way, nothing acknowledged is lost by it and no wrong"
                + " byte is shown: it is there, or refused with a typed error.";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        final List<FaultCase> cases = cases(plan);
        tally.expect(cases.size());
        final AtomicLongArray outcomes = new AtomicLongArray(FaultRun.Outcome.values().length);
        Parallel.run(plan.threads(), part -> runPart(cases, part, plan, tally, outcomes));
        for (FaultRun.Outcome outcome : FaultRun.Outcome.values()) {
            tally.note(outcome.text(), Long.toString(outcomes.get(outcome.ordinal())));
        }
        return tally.report();
    }

    private static void runPart(
            List<FaultCase> cases, int part, CampaignPlan plan, CampaignTally tally, AtomicLongArray outcomes) {
        final Map<FaultScript, PreparedStore> stores = new EnumMap<>(FaultScript.class);
        try {
            for (int i = part; i < cases.size() && !tally.isFullOfFindings(); i += plan.threads()) {
                final FaultCase one = cases.get(i);
                final PreparedStore store = stores.computeIfAbsent(
                        one.script(), script -> new PreparedStore(script, STORE, plan.seed()));
                tally.add(one.kind());
                final FaultRun.Result result = run(one, store, tally);
                outcomes.incrementAndGet(result.outcome().ordinal());
                tally.trace(CampaignTally.mix(one.hash() + result.outcome().ordinal()) + result.commit());
            }
        } finally {
            stores.values().forEach(PreparedStore::close);
        }
    }

    private static FaultRun.Result run(FaultCase one, PreparedStore store, CampaignTally tally) {
        try {
            return FaultRun.run(one, store);
        } catch (RuntimeException | AssertionError e) {
            tally.found(new Finding(
                    "%s, %s at %d: %s".formatted(one.script(), one.kind(), one.index(), Findings.text(e)),
                    "kvmdb crashtest --only faults --seed %d %s".formatted(one.seed(), one.options()),
                    ""));
            return new FaultRun.Result(FaultRun.Outcome.NOT_REACHED, -2);
        }
    }

    // ---- which ----

    /** All cases that the plan asks for; of a smaller scale every so many-th operation, from one on that the case decides. */
    private static List<FaultCase> cases(CampaignPlan plan) {
        final int stride = plan.options().containsKey("index") ? 1 : plan.size(97, 1, 1);
        final List<FaultCase> result = new ArrayList<>();
        for (FaultScript script : FaultScript.values()) {
            if (isWanted(plan, "workload", script)) {
                addCases(script, stride, plan, result);
            }
        }
        return result;
    }

    private static void addCases(FaultScript script, int stride, CampaignPlan plan, List<FaultCase> result) {
        final Map<FaultyDevice.Operation, Long> counts = count(script, plan.seed());
        for (FaultyDevice.Operation operation : FaultyDevice.Operation.values()) {
            for (Fault fault : Fault.values()) {
                final boolean isOne = fault.appliesTo(operation)
                        && (fault.isLoud() || fault.isSilent())
                        && isWanted(plan, "operation", operation)
                        && isWanted(plan, "fault", fault);
                for (int kind = 0; isOne && kind < (fault == Fault.VANISH ? 1 : 2); kind++) {
                    final boolean persistent = kind == 1;
                    final long first =
                            Long.remainderUnsigned(new FaultCase(script, operation, fault, persistent, 0, plan.seed()).hash(), stride);
                    for (long i = first; i < counts.get(operation); i += stride) {
                        if (isWanted(plan, "persistent", persistent) && isWanted(plan, "index", i)) {
                            result.add(new FaultCase(script, operation, fault, persistent, (int) i, plan.seed()));
                        }
                    }
                }
            }
        }
    }

    private static boolean isWanted(CampaignPlan plan, String option, Object value) {
        final String wanted = plan.options().get(option);
        return wanted == null || wanted.equals(value.toString());
    }

    /** How many operations of each kind a workload needs when nothing fails. */
    static Map<FaultyDevice.Operation, Long> count(FaultScript script, long seed) {
        try (PreparedStore store = new PreparedStore(script, STORE, seed)) {
            final FaultyDevice device = new FaultyDevice(store.history());
            try (Workload work = store.workload(device, seed + 1)) {
                if (script.hasStore() && !script.opensFaulty()) {
                    work.reopen();
                }
                device.failAt(-1);
                script.run(work);
            }
            final Map<FaultyDevice.Operation, Long> counts = new EnumMap<>(FaultyDevice.Operation.class);
            for (FaultyDevice.Operation operation : FaultyDevice.Operation.values()) {
                counts.put(operation, device.count(operation));
            }
            return counts;
        }
    }
}
