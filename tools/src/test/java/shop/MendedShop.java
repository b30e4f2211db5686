package shop;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.kvmdb.Store;
import org.kvmdb.crashtest.CrashContext;
import org.kvmdb.crashtest.CrashWorkload;

/** The shop as it is to be: a sale is one commit. */
public final class MendedShop implements CrashWorkload {

    @Override
    public void create(Store store, CrashContext context) {
        new Shop().create(store, context);
    }

    @Override
    public void run(Store store, CrashContext context) throws Exception {
        MemorySegment stock = store.volume("stock").memory();
        MemorySegment sales = store.volume("sales").memory();
        long sold = sales.get(ValueLayout.JAVA_LONG, 0);
        while (context.next()) {
            sold++;
            context.log("sale " + sold);
            context.issued(sold);
            // begin of mended
            stock.set(ValueLayout.JAVA_LONG, 0, Shop.STOCK - sold);
            sales.set(ValueLayout.JAVA_LONG, 0, sold);
            store.commit(); // both volumes, as a whole or not at all
            // end of mended
            context.acknowledged(sold);
        }
    }
}
