package org.kvmdb.crashtest.bank;

import java.util.SplittableRandom;

/**
 * The transfer of that number: it follows from the seed, so that the checker knows what the workload did.
 *
 * @param from an account
 * @param to another one
 */
record Transfer(int from, int to, long amount) {

    private static final int AMOUNT_MAX = 100;

    static Transfer of(long seed, long number) {
        SplittableRandom random = new SplittableRandom(seed + number * 0x9E3779B97F4A7C15L);
        int from = random.nextInt(Bank.ACCOUNTS);
        int to = (from + 1 + random.nextInt(Bank.ACCOUNTS - 1)) % Bank.ACCOUNTS;
        return new Transfer(from, to, 1 + random.nextInt(AMOUNT_MAX));
    }

    @Override
    public String toString() {
        return "%d from account %d to account %d".formatted(amount, from, to);
    }
}
