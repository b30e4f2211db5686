package org.kvmdb.journal.simulation;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a campaign did and found.
 *
 * @param campaign its name
 * @param seed it ran with
 * @param cases how many cases (states, faults, kills, inputs) were tried, by kind, in the order in which to show them
 * @param distinct how many different ones, by hash; 0 when the campaign does not tell them apart
 * @param traceHash of everything that was tried and what came out, in order: the same seed must give the same one; 0 when
 *     the campaign depends on timing
 * @param planted bugs that were put in, caught or not
 * @param findings what was wrong
 * @param notes other facts for the report, by name
 * @param nanos how long it took
 */
public record CampaignReport(
        String campaign,
        long seed,
        Map<String, Long> cases,
        long distinct,
        long traceHash,
        List<PlantedBug> planted,
        List<Finding> findings,
        Map<String, String> notes,
        long nanos) {

    public CampaignReport {
        cases = Collections.unmodifiableMap(new LinkedHashMap<>(cases));
        planted = List.copyOf(planted);
        findings = List.copyOf(findings);
        notes = Collections.unmodifiableMap(new LinkedHashMap<>(notes));
    }

    public long casesInAll() {
        return cases.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Nothing was wrong, and every planted bug was caught. */
    public boolean isClean() {
        return findings.isEmpty() && planted.stream().allMatch(PlantedBug::isCaught);
    }
}
