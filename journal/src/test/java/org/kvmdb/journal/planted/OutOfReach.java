package org.kvmdb.journal.planted;

import java.util.List;

/**
 * Branches of the recovery code that no input reaches.
 *
 * @param method with its class
 * @param branches how many of it
 * @param reason why they are there all the same
 */
record OutOfReach(String method, int branches, String reason) {

    private static final List<OutOfReach> ALL = List.of();

    /** Those of a method, or null. */
    static OutOfReach of(String method) {
        return ALL.stream().filter(one -> one.method.equals(method)).findFirst().orElse(null);
    }
}
