package org.kvmdb.tools.kill;

import java.util.Locale;
import java.util.SplittableRandom;
import org.kvmdb.ffi.FaultPlan;
import org.kvmdb.ffi.FaultPlan.Effect;
import org.kvmdb.ffi.FaultPlan.Operation;
import org.kvmdb.ffi.FaultPlan.Rule;

/**
 * A child kills itself at a system call of the store.
 *
 * @param operation which kind of call
 * @param index which of them, counted from 0 since the store is being opened
 * @param isAfter when the call is done, or before
 */
record SystemCallKill(Operation operation, long index, boolean isAfter) {

    /** No such kill. */
    static final String NONE = "-";

    private static final Operation[] OPERATIONS = {
        Operation.WRITE,
        Operation.FLUSH,
        Operation.ALLOCATE,
        Operation.PUNCH,
        Operation.READ,
        Operation.READ_CACHED,
        Operation.WRITE_BACK,
        Operation.MAP_PAGE,
        Operation.PROTECT,
        Operation.DROP
    };

    /** Two in three are of the first two. */
    private static final int CHANGING = 2;

    private static final int INDEX_BITS_MAX = 9;

    /**
     * @param turn how many of them there were before: every other one goes through the writes and flushes, before and
     *     after, from the first on
     */
    static SystemCallKill of(int turn, long seed) {
        if (turn % 2 == 0) {
            int systematic = turn / 2;
            return new SystemCallKill(
                    OPERATIONS[systematic % CHANGING], systematic / CHANGING / 2, systematic / CHANGING % 2 == 1);
        }
        return anyOf(seed);
    }

    static SystemCallKill anyOf(long seed) {
        SplittableRandom random = new SplittableRandom(seed + 2);
        int kind = random.nextInt(3) > 0 ? random.nextInt(CHANGING) : random.nextInt(OPERATIONS.length);
        return new SystemCallKill(
                OPERATIONS[kind], random.nextLong(1L << random.nextInt(1, INDEX_BITS_MAX + 1)), random.nextBoolean());
    }

    static SystemCallKill parse(String text) {
        String[] parts = text.split(":");
        return new SystemCallKill(
                Operation.valueOf(parts[0]), Long.parseLong(parts[1]), Boolean.parseBoolean(parts[2]));
    }

    /** What {@link #parse} takes. */
    @Override
    public String toString() {
        return operation + ":" + index + ":" + isAfter;
    }

    /** In this process, from now on. */
    FaultPlan arm() {
        Effect effect = isAfter ? Effect.KILL_AFTER : Effect.KILL_BEFORE;
        return FaultPlan.arm(Rule.of(effect, 0, operation).onceAt(index));
    }

    /** What is counted. */
    String kind() {
        return "killed %s a %s".formatted(
                isAfter ? "after" : "before",
                operation.toString().toLowerCase(Locale.ROOT).replace('_', ' '));
    }
}
