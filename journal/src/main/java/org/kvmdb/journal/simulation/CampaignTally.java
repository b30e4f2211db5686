package org.kvmdb.journal.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.agrona.collections.LongHashSet;

/** Counts up what becomes a {@link CampaignReport}, and tells of progress. Thread-safe. */
public final class CampaignTally {

    /** More of them tell nothing more, and a campaign may stop. */
    public static final int FINDINGS_MAX = 20;

    private static final long TELL_EVERY_NANOS = 250_000_000;

    private final String campaign;
    private final CampaignPlan plan;
    private final long beginNanos = System.nanoTime();
    private final Map<String, Long> cases = new LinkedHashMap<>();
    private final Map<String, String> notes = new LinkedHashMap<>();
    private final List<PlantedBug> planted = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private final LongHashSet hashes = new LongHashSet();
    private long expected;
    private long done;
    private long traceHash;
    private long toldNanos;

    public CampaignTally(String campaign, CampaignPlan plan) {
        this.campaign = campaign;
        this.plan = plan;
    }

    /** How many cases there will be. */
    public synchronized void expect(long count) {
        expected = count;
    }

    /** Another case of a kind. */
    public synchronized void add(String kind) {
        add(kind, 1);
    }

    public synchronized void add(String kind, long count) {
        cases.merge(kind, count, Long::sum);
        done += count;
        final long now = System.nanoTime();
        if (now - toldNanos > TELL_EVERY_NANOS) {
            toldNanos = now;
            plan.progress().at(done, expected);
        }
    }

    /** Whether something of that hash was not there before. */
    public synchronized boolean isNew(long hash) {
        return hashes.add(hash);
    }

    /**
     * Takes a case with its outcome into the trace. The order counts within one call only, so that threads may share the
     * work: {@code hash} should say which case it was, too.
     */
    public synchronized void trace(long hash) {
        traceHash += mix(hash);
    }

    /** A mixing function, for hashes of cases (the finalizer of SplitMix64). */
    public static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    public synchronized void planted(PlantedBug bug) {
        planted.add(bug);
    }

    /** Keeps a finding, up to {@link #FINDINGS_MAX} of them. */
    public synchronized void found(Finding finding) {
        if (findings.size() < FINDINGS_MAX) {
            findings.add(finding);
        }
    }

    /** Whether so much was found that the campaign may stop. */
    public synchronized boolean isFullOfFindings() {
        return findings.size() >= FINDINGS_MAX;
    }

    public synchronized boolean hasNoFindings() {
        return findings.isEmpty();
    }

    public synchronized void note(String name, String value) {
        notes.put(name, value);
    }

    public synchronized CampaignReport report() {
        return new CampaignReport(
                campaign,
                plan.seed(),
                cases,
                hashes.size(),
                traceHash,
                planted,
                findings,
                notes,
                System.nanoTime() - beginNanos);
    }
}
