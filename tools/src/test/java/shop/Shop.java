package shop;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.kvmdb.Store;
import org.kvmdb.VolumeOptions;
import org.kvmdb.crashtest.CrashContext;
import org.kvmdb.crashtest.CrashWorkload;

/** Sells what it has in stock: each sale takes one thing from the stock and writes it to the sales. */
public final class Shop implements CrashWorkload {

    static final long STOCK = 1000;

    @Override
    public void create(Store store, CrashContext context) {
        store.createVolume("stock", VolumeOptions.ofSizeBytes(4096));
        store.createVolume("sales", VolumeOptions.ofSizeBytes(4096));
        store.volume("stock").memory().set(ValueLayout.JAVA_LONG, 0, STOCK);
        store.commit();
    }

    @Override
    public void run(Store store, CrashContext context) throws Exception {
        MemorySegment stock = store.volume("stock").memory();
        MemorySegment sales = store.volume("sales").memory();
        long sold = sales.get(ValueLayout.JAVA_LONG, 0); // where the last run ended
        while (context.next()) {
            sold++;
            context.log("sale " + sold);
            context.issued(sold); // from here on the sale may be there after a crash
            stock.set(ValueLayout.JAVA_LONG, 0, STOCK - sold);
            store.volume("stock").commit();
            sales.set(ValueLayout.JAVA_LONG, 0, sold);
            store.volume("sales").commit();
            context.acknowledged(sold); // from here on it must be
        }
    }
}
