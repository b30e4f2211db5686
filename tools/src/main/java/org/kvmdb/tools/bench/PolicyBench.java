package org.kvmdb.tools.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.kvmdb.tools.bench.policy.Policies;
import org.kvmdb.tools.bench.policy.Policy;
import org.kvmdb.tools.bench.policy.Traces;

/** Hit ratios of our policy of eviction, simulated, beside others and the best that there can be. */
final class PolicyBench implements Bench {

    private static final int[] PERCENT = {5, 10, 25, 50};

    @Override
    public List<Figure> run(BenchContext context) throws IOException {
        final List<Figure> figures = new ArrayList<>();
        for (Map.Entry<String, Traces.Trace> named : Traces.all(context.input()).entrySet()) {
            final Traces.Trace trace = named.getValue();
            for (int percent : PERCENT) {
                final int capacity = Math.max(1, trace.pageCount() * percent / 100);
                final StringJoiner line = new StringJoiner("  ");
                final Series ours = new Series();
                final double[] first = new double[1];
                Policies.all().forEach((policy, maker) -> {
                    final double ratio = 100 * Policy.hitRatio(maker, trace.accesses(), trace.pageCount(), capacity);
                    line.add("%s %.2f".formatted(policy, ratio));
                    if (policy.equals("ours")) {
                        first[0] = ratio;
                    } else if (policy.equals("LRU")) {
                        ours.add(first[0], ratio);
                    }
                });
                context.say("%s, %d pages, cache of %d %%: %s", named.getKey(), trace.pageCount(), percent, line);
                figures.add(ours.figure(
                        "policy-%s-%d".formatted(named.getKey().replace(' ', '-'), percent),
                        "hit ratio, cache of %d %%".formatted(percent), "%", "LRU", Figure.Aim.NONE));
            }
        }
        return figures;
    }
}
