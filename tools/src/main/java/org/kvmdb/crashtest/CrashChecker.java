package org.kvmdb.crashtest;

import org.kvmdb.Store;

/**
 * Says whether a store holds what it must after a crash. As {@link CrashWorkload}: a public class with a public
 * constructor without parameters, used by several threads at the same time.
 */
public interface CrashChecker {

    /**
     * Looks at a store that was recovered. Whatever it throws, an {@link AssertionError} of a test framework included, is a
     * finding; the message should say what was found and what was expected. It may write to the store: that is thrown
     * away.
     *
     * @param recovered what the workload had issued, and been promised, when it crashed
     */
    void check(Store store, Recovered recovered) throws Exception;
}
