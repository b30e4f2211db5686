package org.kvmdb.crashtest.bank;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.kvmdb.Store;
import org.kvmdb.VolumeOptions;

/** Accounts in one volume, a page each, and in another how many transfers were made. */
final class Bank {

    static final int ACCOUNTS = 12;
    static final long OPENING_BALANCE = 1000;
    private static final int PAGE_BYTES = 4096;
    private static final String BALANCES = "accounts";
    private static final String LEDGER = "ledger";

    private final MemorySegment balances;
    private final MemorySegment ledger;

    private Bank(Store store) {
        balances = store.volume(BALANCES).memory();
        ledger = store.volume(LEDGER).memory();
    }

    static Bank found(Store store) {
        store.createVolume(BALANCES, VolumeOptions.ofSizeBytes(ACCOUNTS * PAGE_BYTES));
        store.createVolume(LEDGER, VolumeOptions.ofSizeBytes(PAGE_BYTES));
        Bank bank = new Bank(store);
        for (int account = 0; account < ACCOUNTS; account++) {
            bank.balance(account, OPENING_BALANCE);
        }
        store.commit();
        return bank;
    }

    static Bank of(Store store) {
        return new Bank(store);
    }

    long balance(int account) {
        return balances.get(ValueLayout.JAVA_LONG, (long) account * PAGE_BYTES);
    }

    private void balance(int account, long amount) {
        balances.set(ValueLayout.JAVA_LONG, (long) account * PAGE_BYTES, amount);
    }

    void add(int account, long amount) {
        balance(account, balance(account) + amount);
    }

    long transfers() {
        return ledger.get(ValueLayout.JAVA_LONG, 0);
    }

    void transfers(long count) {
        ledger.set(ValueLayout.JAVA_LONG, 0, count);
    }
}
