package org.kvmdb.tools.kill;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/** What the children did and the checks saw, over all stores. Thread-safe. */
final class KillFigures {

    /** What is counted. */
    enum Figure {
        ACKNOWLEDGED("commits acknowledged"),
        KEPT("commits found though not acknowledged"),
        LOST("commits issued, not acknowledged and not found"),
        FULL("commits refused by a full store"),
        OPERATIONS("operations on snapshots and clones"),
        OPERATIONS_FULL("of them refused by a full store"),
        SNAPSHOTS("snapshots compared, byte for byte"),
        CHECKED("checks of every structure");

        private final String words;

        Figure(String words) {
            this.words = words;
        }
    }

    private final Map<Figure, LongAdder> counts = new EnumMap<>(Figure.class);

    KillFigures() {
        for (Figure figure : Figure.values()) {
            counts.put(figure, new LongAdder());
        }
    }

    void add(Figure figure, long count) {
        counts.get(figure).add(count);
    }

    long of(Figure figure) {
        return counts.get(figure).sum();
    }

    void forEach(BiConsumer<String, Long> visitor) {
        counts.forEach((figure, count) -> visitor.accept(figure.words, count.sum()));
    }
}
