package org.kvmdb.journal.planted;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.analysis.ISourceFileCoverage;
import org.jacoco.core.data.ExecutionDataStore;
import org.jacoco.core.data.SessionInfoStore;
import org.jacoco.core.instr.Instrumenter;
import org.jacoco.core.runtime.LoggerRuntime;
import org.jacoco.core.runtime.RuntimeData;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;

/** Measures which branches of the code that recovers a store the harness's checks reach. */
public final class CoverageCampaign implements Campaign {

    /** Runs the checks alone whose names that expression matches. */
    private static final String OPTION_CHECK = "check";

    private static final String PACKAGE = "org.kvmdb.journal.";

    /** What reads a store that a crash left, and believes none of it. */
    private static final List<String> MEASURED = List.of(
            "Recovery", "CheckpointLoader", "CatalogReplay", "CatalogLoader", "BatchParser", "ScannedBatch", "Records", "MapLoader",
            "SuperblockStore", "Superblock", "LogPosition", "VersionDropper", "Remaps", "BlockSeal", "BlockReader");

    @Override
    public String name() {
        return "coverage";
    }

    @Override
    public String description() {
        return "which branches of the code that recovers a store are reached by the checks that planted bugs are hunted with";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        try {
            measure(plan, tally);
        } catch (ReflectiveOperationException | IOException e) {
            throw new LinkageError("cannot measure coverage: " + e.getMessage(), e);
        } catch (Exception e) {
            throw e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
        }
        return tally.report();
    }

    private static void measure(CampaignPlan plan, CampaignTally tally) throws Exception {
        final LoggerRuntime runtime = new LoggerRuntime();
        final RuntimeData data = new RuntimeData();
        runtime.startup(data);
        try {
            final Map<String, byte[]> measured = new ConcurrentHashMap<>();
            final Instrumenter instrumenter = new Instrumenter(runtime);
            runChecks(plan, tally, new Checks(
                    List.of(), (className, bytes) -> instrument(className, bytes, instrumenter, measured)));
            final ExecutionDataStore executed = new ExecutionDataStore();
            data.collect(executed, new SessionInfoStore(), false);
            report(tally, analyze(executed, measured));
        } finally {
            runtime.shutdown();
        }
    }

    private static byte[] instrument(
            String className, byte[] bytes, Instrumenter instrumenter, Map<String, byte[]> measured) {
        final String simple = className.substring(PACKAGE.length());
        if (!MEASURED.contains(simple.indexOf('$') < 0 ? simple : simple.substring(0, simple.indexOf('$')))) {
            return bytes;
        }
        measured.put(className, bytes);
        try {
            return instrumenter.instrument(bytes, className);
        } catch (IOException e) {
            throw new LinkageError(className, e);
        }
    }

    private static void runChecks(CampaignPlan plan, CampaignTally tally, Checks checks) {
        final String only = plan.options().get(OPTION_CHECK);
        for (String check : checks.names()) {
            if (only == null ? !check.startsWith(Checks.BEHIND) : check.matches(only)) {
                final Checks.Result result = checks.run(check, plan.seed());
                tally.add(check, result.cases());
                if (!result.isRight()) {
                    tally.found(new Finding("%s: %s".formatted(check, result.wrong()), repeat(plan), ""));
                }
            }
        }
    }

    private static String repeat(CampaignPlan plan) {
        return "kvmdb crashtest --only coverage --seed " + plan.seed();
    }

    private static CoverageBuilder analyze(ExecutionDataStore executed, Map<String, byte[]> measured) throws IOException {
        final CoverageBuilder builder = new CoverageBuilder();
        final Analyzer analyzer = new Analyzer(executed, builder);
        for (Map.Entry<String, byte[]> one : measured.entrySet()) {
            analyzer.analyzeClass(one.getValue(), one.getKey());
        }
        return builder;
    }

    private static void report(CampaignTally tally, CoverageBuilder coverage) {
        int covered = 0;
        int all = 0;
        for (ISourceFileCoverage source : sorted(coverage)) {
            final ICounter branches = source.getBranchCounter();
            covered += branches.getCoveredCount();
            all += branches.getTotalCount();
            final String missed = missed(source);
            tally.note(source.getName().replace(".java", ""), "%d of %d branches, %d of %d lines%s".formatted(
                    branches.getCoveredCount(), branches.getTotalCount(), source.getLineCounter().getCoveredCount(),
                    source.getLineCounter().getTotalCount(), missed.isEmpty() ? "" : "; not reached: " + missed));
        }
        tally.note("branches of the recovery code", "%d of %d".formatted(covered, all));
    }

    private static List<ISourceFileCoverage> sorted(CoverageBuilder coverage) {
        return coverage.getSourceFiles().stream()
                .sorted(Comparator.comparing(ISourceFileCoverage::getName))
                .toList();
    }

    /** Lines of which not all branches, or nothing, was reached. */
    private static String missed(ISourceFileCoverage source) {
        final List<String> result = new ArrayList<>();
        for (int line = source.getFirstLine(); line <= source.getLastLine(); line++) {
            final ICounter branches = source.getLine(line).getBranchCounter();
            if (branches.getMissedCount() > 0) {
                result.add("line %d (%d of %d)".formatted(line, branches.getMissedCount(), branches.getTotalCount()));
            } else if (source.getLine(line).getStatus() == ICounter.NOT_COVERED) {
                result.add("line " + line);
            }
        }
        return String.join(", ", result);
    }
}
