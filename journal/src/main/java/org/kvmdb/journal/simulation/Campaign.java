package org.kvmdb.journal.simulation;

import java.util.Map;

/**
 * One part of the proof that a store survives: crashes of one kind, faults of one kind, planted bugs. Found by {@link
 * java.util.ServiceLoader}, so that the campaigns against the store itself can live among the tests of the module that
 * they know the inside of. A campaign uses no test framework.
 */
public interface Campaign {

    /** A word or two, in lower case with hyphens; what {@code kvmdb crashtest --only} takes. */
    String name();

    /** What must hold and what is done to it, in one sentence. */
    String description();

    /**
     * Looks whether it can run with these options of a plan; those that are not its own are no concern of it.
     *
     * @throws IllegalArgumentException when it cannot; the message says why, and what there is instead
     */
    default void checkOptions(Map<String, String> options) {}

    /**
     * Runs. What is found wrong is a {@link Finding} of the report and does not end the run, unless so much is found that
     * going on tells nothing more.
     */
    CampaignReport run(CampaignPlan plan);
}
