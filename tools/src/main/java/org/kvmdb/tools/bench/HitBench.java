package org.kvmdb.tools.bench;

import java.util.Collection;
import java.util.List;
import org.kvmdb.tools.CommandFailedException;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Hits: JMH, one fork of each per round. */
final class HitBench implements Bench {

    @Override
    public List<Figure> run(BenchContext context) {
        Series series = new Series();
        for (int round = 0; round < context.rounds(); round++) {
            Collection<RunResult> results = results(context);
            double plain = score(results, "plain");
            double volume = score(results, "volume");
            context.say("hit: %.3f ns, plain memory %.3f ns", volume, plain);
            // Speeds, so that 1 means as fast.
            series.add(1 / volume, 1 / plain);
        }
        return List.of(series.figure(
                "hit",
                "8-byte reads of resident pages",
                "reads/ns",
                "of plain memory",
                Figure.Aim.atLeast(0.97)));
    }

    private static Collection<RunResult> results(BenchContext context) {
        try {
            return new Runner(new OptionsBuilder()
                            .include(HitBenchmark.class.getName() + "\\..*")
                            .forks(1)
                            .verbosity(VerboseMode.SILENT)
                            // All of them: those of this JVM would make each fork write the archive of classes.
                            .jvmArgs(
                                    "--enable-native-access=ALL-UNNAMED",
                                    "--sun-misc-unsafe-memory-access=allow",
                                    "-Djmh.ignoreLock=true",
                                    "-Djava.io.tmpdir=" + context.directory())
                            .shouldFailOnError(true)
                            .build())
                    .run();
        } catch (RunnerException e) {
            throw new CommandFailedException("the hit benchmark failed in its own process: " + e.getMessage(), e);
        }
    }

    private static double score(Collection<RunResult> results, String method) {
        return results.stream()
                .filter(result -> result.getParams().getBenchmark().endsWith("." + method))
                .mapToDouble(result -> result.getPrimaryResult().getScore())
                .findFirst()
                .orElseThrow();
    }
}
