package org.kvmdb.crashtest.bank;

import org.kvmdb.Store;
import org.kvmdb.crashtest.CrashContext;
import org.kvmdb.crashtest.CrashWorkload;

/**
 * Makes transfers, each with one commit over two volumes. A few transfers share a flush: they are committed, in order, and
 * may be lost again until the flush, behind which all of them are acknowledged.
 */
public final class BankWorkload implements CrashWorkload {

    private static final int TRANSFERS_A_FLUSH = 4;

    @Override
    public void create(Store store, CrashContext context) {
        Bank.found(store);
    }

    @Override
    public void run(Store store, CrashContext context) throws Exception {
        Bank bank = Bank.of(store);
        long number = bank.transfers();
        while (context.next()) {
            number++;
            Transfer transfer = Transfer.of(context.seed(), number);
            context.log("transfer %d: %s".formatted(number, transfer));
            context.issued(number);
            bank.add(transfer.from(), -transfer.amount());
            bank.add(transfer.to(), transfer.amount());
            bank.transfers(number);
            store.commitAsync();
            if (number % TRANSFERS_A_FLUSH == 0) {
                store.sync();
                context.acknowledged(number);
            }
        }
    }
}
