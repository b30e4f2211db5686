package shop;

import java.lang.foreign.ValueLayout;
import org.kvmdb.Store;
import org.kvmdb.crashtest.CrashChecker;
import org.kvmdb.crashtest.Recovered;

/** Nothing is sold that is still there, nothing is gone that was not sold, and no sale is forgotten. */
public final class ShopChecker implements CrashChecker {

    @Override
    public void check(Store store, Recovered recovered) {
        long stock = store.volume("stock").memory().get(ValueLayout.JAVA_LONG, 0);
        long sold = store.volume("sales").memory().get(ValueLayout.JAVA_LONG, 0);
        if (stock + sold != Shop.STOCK) {
            throw new AssertionError("%d in stock and %d sold, of %d".formatted(stock, sold, Shop.STOCK));
        }
        recovered.checkStep(sold); // not fewer than acknowledged, not more than issued
    }
}
