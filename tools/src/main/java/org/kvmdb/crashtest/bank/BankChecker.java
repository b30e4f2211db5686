package org.kvmdb.crashtest.bank;

import java.util.Arrays;
import org.kvmdb.Store;
import org.kvmdb.crashtest.CrashChecker;
import org.kvmdb.crashtest.Recovered;

/** No money is made or lost, no transfer that was acknowledged is forgotten, and each balance is what the transfers make it. */
public final class BankChecker implements CrashChecker {

    @Override
    public void check(Store store, Recovered recovered) {
        Bank bank = Bank.of(store);
        long sum = 0;
        for (int account = 0; account < Bank.ACCOUNTS; account++) {
            sum += bank.balance(account);
        }
        expect(Bank.ACCOUNTS * Bank.OPENING_BALANCE, sum, "all accounts together");
        recovered.checkStep(bank.transfers());
        long[] balances = balancesAfter(bank.transfers(), recovered.seed());
        for (int account = 0; account < Bank.ACCOUNTS; account++) {
            expect(balances[account], bank.balance(account), "account " + account);
        }
    }

    private static long[] balancesAfter(long transfers, long seed) {
        long[] balances = new long[Bank.ACCOUNTS];
        Arrays.fill(balances, Bank.OPENING_BALANCE);
        for (long number = 1; number <= transfers; number++) {
            Transfer transfer = Transfer.of(seed, number);
            balances[transfer.from()] -= transfer.amount();
            balances[transfer.to()] += transfer.amount();
        }
        return balances;
    }

    private static void expect(long expected, long found, String what) {
        if (found != expected) {
            throw new AssertionError("%s: %d, not %d".formatted(what, found, expected));
        }
    }
}
