package org.kvmdb.journal;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.Stream;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.Finding;

/**
 * A fault or a crash in a workload, and a second fault in the recovery from it, sampled. What must hold is told at {@link
 * FaultRun}. Option {@code pair} runs the pair of that number alone.
 */
public final class FaultPairCampaign implements Campaign {

    private static final JournalOptions STORE = Workload.tinyOptions();
    /** Second faults that are tried on what one first fault left. */
    private static final int SECONDS = 16;

    private static final List<FaultScript> SCRIPTS =
            Stream.of(FaultScript.values()).filter(FaultScript::hasStore).toList();

    @Override
    public String name() {
        return "fault-pairs";
    }

    @Override
    public String description() {
        return "A second fault in the recovery from a first one, or from a crash: nothing acknowledged is lost that the"
                + " medium tells of, no wrong byte is shown, and the next recovery ends it.";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        final int pairs = plan.size(4 * SECONDS, 190 * SECONDS, 6500 * SECONDS);
        final String only = plan.options().get("pair");
        tally.expect(only == null ? pairs : 1);
        final AtomicLongArray outcomes = new AtomicLongArray(FaultRun.Outcome.values().length);
        final int threads = only == null ? plan.threads() : 1;
        Parallel.run(threads, part -> {
            try (Part work = new Part(plan, tally, outcomes, only == null ? -1 : Integer.parseInt(only))) {
                final int first = only == null ? part : Integer.parseInt(only) / SECONDS;
                final int end = only == null ? pairs / SECONDS : first + 1;
                for (int i = first; i < end && !tally.isFullOfFindings(); i += threads) {
                    work.runFirst(i);
                }
            }
        });
        for (FaultRun.Outcome outcome : FaultRun.Outcome.values()) {
            tally.note(outcome.text(), Long.toString(outcomes.get(outcome.ordinal())));
        }
        return tally.report();
    }

    /** What one thread does. */
    private static final class Part implements AutoCloseable {
        private final CampaignPlan plan;
        private final CampaignTally tally;
        private final AtomicLongArray outcomes;
        private final int onlyPair;
        private final Map<FaultScript, PreparedStore> stores = new EnumMap<>(FaultScript.class);
        private final Map<FaultScript, Map<FaultyDevice.Operation, Long>> counts = new EnumMap<>(FaultScript.class);

        Part(CampaignPlan plan, CampaignTally tally, AtomicLongArray outcomes, int onlyPair) {
            this.plan = plan;
            this.tally = tally;
            this.outcomes = outcomes;
            this.onlyPair = onlyPair;
        }

        /** A first fault, then the process dies; and from what is left, recoveries with a second one. */
        void runFirst(int number) {
            final FaultCase first = first(number);
            final PreparedStore store =
                    stores.computeIfAbsent(first.script(), script -> new PreparedStore(script, STORE, plan.seed()));
            store.reset();
            final FaultyDevice device = new FaultyDevice(
                    store.history(), first.operation(), first.fault(), -1, first.persistent(), first.hash());
            try (Workload work = store.workload(device, first.seed() + 1)) {
                crash(first, device, work);
                final int mark = store.history().mark();
                final Map<FaultyDevice.Operation, Long> ofRecovery = countRecovery(store, work);
                store.history().undoTo(mark);
                for (int i = 0; i < SECONDS && ofRecovery != null; i++) {
                    final int pair = number * SECONDS + i;
                    if (onlyPair < 0 || onlyPair == pair) {
                        runSecond(pair, first, ofRecovery, store, work);
                    }
                    store.history().undoTo(mark);
                }
            }
        }

        private static void crash(FaultCase first, FaultyDevice device, Workload work) {
            try {
                if (!first.script().opensFaulty()) {
                    work.reopen();
                }
                device.failAt(first.index());
                first.script().run(work);
            } catch (StorageException | AssertionError e) {
                // The campaign of single faults judges this.
            }
            if (!device.isClosed()) {
                kill(work);
            }
            device.heal();
        }

        private static void kill(Workload work) {
            try {
                work.kill();
            } catch (StorageException e) {
                // A device that is gone.
            }
        }

        /** Operations of a recovery without a second fault; null when it is refused. */
        private Map<FaultyDevice.Operation, Long> countRecovery(PreparedStore store, Workload crashed) {
            final FaultyDevice device = new FaultyDevice(store.history());
            try (Workload work = new Workload(device, crashed, plan.seed() + 2)
                    .withJudge((journal, same) -> same.issued())) {
                work.reopen();
            } catch (StorageException e) {
                tally.add("refused behind the first");
                return null;
            }
            final Map<FaultyDevice.Operation, Long> result = new EnumMap<>(FaultyDevice.Operation.class);
            for (FaultyDevice.Operation operation : FaultyDevice.Operation.values()) {
                result.put(operation, device.count(operation));
            }
            return result;
        }

        private void runSecond(
                int pair, FaultCase first, Map<FaultyDevice.Operation, Long> ofRecovery, PreparedStore store,
                Workload crashed) {
            final FaultCase second = draw(
                    new SplittableRandom(CampaignTally.mix(plan.seed()) + pair), first.script(), ofRecovery,
                    List.of(FaultyDevice.Operation.values()));
            tally.add("%s, then %s".formatted(first.operation(), second.operation()));
            FaultRun.Result result;
            try {
                result = run(first, second, store, crashed);
            } catch (RuntimeException | AssertionError e) {
                tally.found(new Finding(
                        "pair %d, %s, %s at %d, then %s at %d of the recovery: %s".formatted(
                                pair, first.script(), first.kind(), first.index(), second.kind(), second.index(),
                                Findings.text(e)),
                        "kvmdb crashtest --only fault-pairs --seed %d --option pair=%d".formatted(plan.seed(), pair),
                        ""));
                return;
            }
            outcomes.incrementAndGet(result.outcome().ordinal());
            tally.trace(CampaignTally.mix(CampaignTally.mix(pair) + second.hash() + result.outcome().ordinal())
                    + result.commit());
        }

        private FaultRun.Result run(FaultCase first, FaultCase second, PreparedStore store, Workload crashed) {
            final FaultyDevice device = new FaultyDevice(
                    store.history(), second.operation(), second.fault(), -1, second.persistent(), second.hash());
            try (Workload work = new Workload(device, crashed, plan.seed() + 2)) {
                device.failAt(second.index());
                return new FaultRun(second, device, store.history(), work, first.fault().isSilent()).run(work::reopen);
            }
        }

        private FaultCase first(int number) {
            final SplittableRandom random = new SplittableRandom(CampaignTally.mix(plan.seed() + 1) + number);
            final FaultScript script = SCRIPTS.get(random.nextInt(SCRIPTS.size()));
            return draw(
                    random, script, counts.computeIfAbsent(script, s -> FaultCampaign.count(s, plan.seed())),
                    List.of(FaultyDevice.Operation.WRITE, FaultyDevice.Operation.FLUSH));
        }

        /** A fault in one of so many operations, each kind of which comes up as often. */
        private FaultCase draw(
                SplittableRandom random, FaultScript script, Map<FaultyDevice.Operation, Long> operations,
                List<FaultyDevice.Operation> among) {
            final List<FaultyDevice.Operation> possible =
                    among.stream().filter(operation -> operations.get(operation) > 0).toList();
            final FaultyDevice.Operation operation = possible.get(random.nextInt(possible.size()));
            final List<Fault> faults = Stream.of(Fault.values())
                    .filter(fault -> fault.appliesTo(operation) && (fault.isLoud() || fault.isSilent()))
                    .toList();
            return new FaultCase(
                    script, operation, faults.get(random.nextInt(faults.size())), random.nextBoolean(),
                    random.nextInt(operations.get(operation).intValue()), plan.seed());
        }

        @Override
        public void close() {
            stores.values().forEach(PreparedStore::close);
        }
    }
}
