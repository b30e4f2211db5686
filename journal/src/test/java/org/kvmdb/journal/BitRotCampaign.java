package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.HistoryDevice;

/**
 * Rot of a small store at rest, one that was closed and one whose process was killed: each bit of it flipped; each write
 * that made it rolled back, 4 KiB at a time, to what its place held before; and each kind of structure written over
 * each other kind, while its own place keeps what it held. What must hold is told at {@link RotStore}.
 *
 * <p>Bytes that neither opening the store nor reading all of it looks at are proven unused by that, and are not flipped.
 *
 * <p>Options: {@code position} and {@code bit}: that flip alone; {@code case}: that rollback or misdirected write; each with
 * {@code store}: {@code closed} or {@code killed}.
 */
public final class BitRotCampaign implements Campaign {

    /** What is done to a store of a thread. */
    private record Case(boolean closed, String kind, String what, String options, long hash, Damage damage) {}

    private interface Damage {
        RotStore.Outcome to(RotStore store);
    }

    @Override
    public String name() {
        return "bit-rot";
    }

    @Override
    public String description() {
        return "Whichever bit of a store rots, whichever write was lost or went elsewhere: that is said with a typed error,"
                + " or all that is shown is right.";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        final List<Case> cases = new ArrayList<>();
        for (boolean closed : new boolean[] {true, false}) {
            try (RotStore store = new RotStore(closed, plan.seed())) {
                final StoreRegions regions = new StoreRegions(store.image());
                addFlips(store, regions, plan, tally, cases);
                addRollbacks(store, cases);
                addMisdirected(store, regions, plan, cases);
            }
        }
        cases.removeIf(one -> !isWanted(plan, one));
        tally.expect(cases.size());
        final AtomicLongArray outcomes = new AtomicLongArray(RotStore.Outcome.values().length);
        Parallel.run(plan.threads(), part -> runPart(cases, part, plan, tally, outcomes));
        for (RotStore.Outcome outcome : RotStore.Outcome.values()) {
            tally.note(outcome.text(), Long.toString(outcomes.get(outcome.ordinal())));
        }
        return tally.report();
    }

    private static boolean isWanted(CampaignPlan plan, Case one) {
        return plan.options().entrySet().stream()
                .allMatch(option -> (one.options + ' ').contains("--option %s=%s ".formatted(option.getKey(), option.getValue())));
    }

    private void runPart(
            List<Case> cases, int part, CampaignPlan plan, CampaignTally tally, AtomicLongArray outcomes) {
        try (RotStore closed = new RotStore(true, plan.seed());
                RotStore killed = new RotStore(false, plan.seed())) {
            for (int i = part; i < cases.size() && !tally.isFullOfFindings(); i += plan.threads()) {
                final Case one = cases.get(i);
                tally.add(one.kind);
                final RotStore.Outcome outcome = run(one, one.closed ? closed : killed, plan, tally);
                if (outcome != null) {
                    outcomes.incrementAndGet(outcome.ordinal());
                    tally.trace(CampaignTally.mix(one.hash + outcome.ordinal()));
                }
            }
        }
    }

    private RotStore.Outcome run(Case one, RotStore store, CampaignPlan plan, CampaignTally tally) {
        try {
            return one.damage.to(store);
        } catch (RuntimeException | AssertionError e) {
            tally.found(new Finding(
                    "%s, %s: %s".formatted(one.closed ? "closed store" : "killed store", one.what, Findings.text(e)),
                    "kvmdb crashtest%s --only %s --seed %d %s"
                            .formatted(
                                    plan.scale() == CampaignPlan.Scale.RELEASE ? " --release" : "", name(), plan.seed(),
                                    one.options),
                    ""));
            return null;
        }
    }

    private static String storeOption(RotStore store) {
        return "--option store=" + (store.isClosed() ? "closed" : "killed");
    }

    // ---- bits ----

    /** All bits of metadata; of pages and padding some, by chance, but in the end all. */
    private static void addFlips(
            RotStore store, StoreRegions regions, CampaignPlan plan, CampaignTally tally, List<Case> cases) {
        final SplittableRandom random = new SplittableRandom(plan.seed());
        final boolean isOne = plan.options().containsKey("position");
        final int metadataOneIn = isOne ? 1 : plan.size(997, store.isClosed() ? 1 : 8, 1);
        final int otherOneIn = isOne ? 1 : plan.size(9973, 397, 1);
        long unused = 0;
        for (StoreRegions.Region region : regions.regions()) {
            final int oneIn = region.kind().isMetadata() ? metadataOneIn : otherOneIn;
            for (int at = region.position(); at < region.position() + region.length(); at++) {
                if (!store.isRead(at)) {
                    unused += Byte.SIZE;
                    continue;
                }
                for (int bit = 0; bit < Byte.SIZE; bit++) {
                    if (random.nextInt(oneIn) == 0) {
                        cases.add(flip(store, region, at, bit));
                    }
                }
            }
        }
        tally.note(
                "bits that nothing looks at, %s store".formatted(store.isClosed() ? "closed" : "killed"),
                Long.toString(unused));
    }

    private static Case flip(RotStore store, StoreRegions.Region region, int position, int bit) {
        final boolean isSuperblock = region.what().startsWith("superblock");
        return new Case(
                store.isClosed(), "bit of " + region.what(), "bit %d of byte %d, %s".formatted(bit, position, region.what()),
                "%s --option position=%d --option bit=%d".formatted(storeOption(store), position, bit),
                position * 16L + bit * 2L + (store.isClosed() ? 1 : 0), damaged -> {
                    final RotStore.Outcome outcome = damaged.flip(position, bit);
                    if (isSuperblock && outcome == RotStore.Outcome.NO_DIFFERENCE) {
                        throw new AssertionError("nobody notices that a superblock is damaged");
                    }
                    return outcome;
                });
    }

    // ---- 4 KiB that are older ----

    private static void addRollbacks(RotStore store, List<Case> cases) {
        final Map<Long, List<byte[]>> older = new LinkedHashMap<>();
        for (HistoryDevice.Change change : store.changes()) {
            for (int at = 0; at < change.before().length; at += BatchDescriptor.UNIT_BYTES) {
                final byte[] before = Arrays.copyOfRange(change.before(), at, at + BatchDescriptor.UNIT_BYTES);
                older.computeIfAbsent(change.position() + at, position -> new ArrayList<>()).add(before);
            }
        }
        older.forEach((position, contents) -> {
            final byte[] now = unit(store, position);
            contents.stream().filter(content -> !Arrays.equals(content, now)).forEach(content -> add(
                    cases, store, "4 KiB rolled back", "4 KiB at %d as they were before".formatted(position),
                    () -> List.of(new HistoryDevice.Change(position, content, content))));
        });
    }

    private static byte[] unit(RotStore store, long position) {
        return Arrays.copyOfRange(store.image(), (int) position, (int) position + BatchDescriptor.UNIT_BYTES);
    }

    private static void add(
            List<Case> cases, RotStore store, String kind, String what, Supplier<List<HistoryDevice.Change>> damages) {
        final int number = cases.size();
        final List<HistoryDevice.Change> changes = damages.get();
        cases.add(new Case(
                store.isClosed(), kind, what, "%s --option case=%d".formatted(storeOption(store), number),
                CampaignTally.mix(number), damaged -> damaged.replace(changes)));
    }

    // ---- misdirected ----

    /** A write of each kind lands on each kind: one pair of pieces of each pair of kinds, or all; and some by chance. */
    private static void addMisdirected(RotStore store, StoreRegions regions, CampaignPlan plan, List<Case> cases) {
        final Map<String, List<StoreRegions.Region>> kinds = new LinkedHashMap<>();
        regions.pieces().forEach(piece -> kinds.computeIfAbsent(piece.what(), kind -> new ArrayList<>()).add(piece));
        final SplittableRandom random = new SplittableRandom(plan.seed() + 1);
        kinds.forEach((one, from) -> kinds.forEach((other, to) -> {
            for (int i = 0; i < plan.size(1, 2, 16); i++) {
                addMisdirected(store, from.get(random.nextInt(from.size())), to.get(random.nextInt(to.size())), random, cases);
            }
        }));
        final List<StoreRegions.Region> all = regions.pieces();
        for (int i = 0; i < plan.size(10, 250, 5000); i++) {
            addMisdirected(
                    store, all.get(random.nextInt(all.size())), all.get(random.nextInt(all.size())), random, cases);
        }
    }

    /** The bytes of one piece lie where another one does; its own place holds what it held before, or it as well. */
    private static void addMisdirected(
            RotStore store, StoreRegions.Region from, StoreRegions.Region to, SplittableRandom random, List<Case> cases) {
        final boolean keepsOwn = random.nextBoolean();
        if (from.position() == to.position() || to.position() + from.length() > store.image().length) {
            return;
        }
        add(cases, store, "misdirected write", "%s at %d written over %s at %d".formatted(
                from.what(), from.position(), to.what(), to.position()), () -> {
            final byte[] bytes =
                    Arrays.copyOfRange(store.image(), from.position(), from.position() + from.length());
            final List<HistoryDevice.Change> damages = new ArrayList<>();
            if (!keepsOwn) {
                damages.add(new HistoryDevice.Change(from.position(), bytes, older(store, from)));
            }
            damages.add(new HistoryDevice.Change(to.position(), bytes, bytes));
            return damages;
        });
    }

    /** What a place held before the last write there. */
    private static byte[] older(RotStore store, StoreRegions.Region place) {
        for (HistoryDevice.Change change : store.changes().reversed()) {
            final int at = (int) (place.position() - change.position());
            if (at >= 0 && at + place.length() <= change.before().length) {
                return Arrays.copyOfRange(change.before(), at, at + place.length());
            }
        }
        return new byte[place.length()];
    }
}
