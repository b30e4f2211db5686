package org.kvmdb.tools.peers;

import java.util.List;
import java.util.Set;

/** One kind of work: what it measures, what the parent arranges, and what a child does. */
interface Work {

    /** The stage in which a child does the measured thing, where there is but one. */
    String RUN = "run";

    /** Stable, for scripts. */
    String name();

    /** In a line. */
    String what();

    /** Those that can do it. */
    Set<PeerSystem> systems();

    List<Case> cases();

    List<Goal> goals();

    /** Whether it says nothing unless memory is limited. */
    default boolean needsLimit() {
        return false;
    }

    /** In the parent: one system, once. */
    void measure(Trial trial) throws Exception;

    /** In a child. */
    void run(String stage, ChildContext context) throws Exception;
}
