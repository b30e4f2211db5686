package org.kvmdb.journal.simulation;

/**
 * A bug that was put in on purpose, and whether it was noticed.
 *
 * @param name what the bug does, in some words
 * @param caughtBy the check that noticed it and what that said; empty when nothing did
 * @param casesUntilCaught how many cases it took
 */
public record PlantedBug(String name, String caughtBy, long casesUntilCaught) {

    public boolean isCaught() {
        return !caughtBy.isEmpty();
    }
}
