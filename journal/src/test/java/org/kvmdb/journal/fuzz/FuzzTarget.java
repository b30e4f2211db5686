package org.kvmdb.journal.fuzz;

import java.io.IOException;
import java.util.List;

/**
 * Something that reads what an enemy may have written. Found by {@link java.util.ServiceLoader}; made by an {@link
 * InstrumentingLoader}, for one thread.
 */
public interface FuzzTarget extends AutoCloseable {

    /** A word. */
    String name();

    /** The parts of a valid input. */
    List<Place> places();

    /**
     * Makes the input that a program of edits leads to and has it read. What is refused by the store's own exceptions, or
     * is right, is an outcome, which the same program always has; anything else is thrown.
     */
    String run(List<Edit> program) throws Exception;

    /** What comes of no edits. */
    String valid();

    /** Relative cost of an input, for sharing time: how many a scale's share is divided by. */
    default int cost() {
        return 1;
    }

    /**
     * Whether the same input always takes the same edges. Where it does not, for the clock or other threads have a say, a run of so
     * many inputs goes by outcomes instead, so that the same seed gives the same inputs.
     */
    default boolean isSteady() {
        return true;
    }

    @Override
    default void close() throws IOException {}
}
