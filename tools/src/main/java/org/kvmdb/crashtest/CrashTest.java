package org.kvmdb.crashtest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.TemporaryDirectory;

/**
 * Runs a workload into crashes and failing devices, and has each store that is left checked.
 *
 * <pre>{@code
 * CrashTest.of(new BankWorkload(), new BankChecker()).steps(40).states(5000).run().assertClean();
 * }</pre>
 *
 * <p>Three things are done. The workload runs once on a device that records, and the states that a loss of power could
 * have left of that are recovered and checked: what was written since the last flush there or not, in any order, torn or
 * whole. It runs with a device that fails, at one operation or from one on. And it is killed, in a process of its own.
 */
public final class CrashTest {

    private final CrashWorkload workload;
    private final CrashChecker checker;
    private long seed = 1;
    private long steps = 40;
    private long states = 2000;
    private long recoveries = 50;
    private long faults = 200;
    private int kills;
    private String classPath = "";
    private int threads = Runtime.getRuntime().availableProcessors();
    private Path keepIn = Path.of(System.getProperty("java.io.tmpdir"), "kvmdb-crashtest-findings");
    private CampaignPlan.Progress progress = (done, expected) -> {};

    private CrashTest(CrashWorkload workload, CrashChecker checker) {
        this.workload = workload;
        this.checker = checker;
    }

    /** A test with the numbers below. */
    public static CrashTest of(CrashWorkload workload, CrashChecker checker) {
        return new CrashTest(workload, checker);
    }

    /** Of everything random; 1 when it is not given. */
    public CrashTest seed(long value) {
        seed = value;
        return this;
    }

    /** How many steps the recorded run has; 40. */
    public CrashTest steps(long count) {
        steps = count;
        return this;
    }

    /** How many states of the recorded run are looked at; 2,000. Those that are the same are checked once. */
    public CrashTest states(long count) {
        states = count;
        return this;
    }

    /** Of how many of these the recovery crashes, too, at some of its moments; 50. */
    public CrashTest recoveries(long count) {
        recoveries = count;
        return this;
    }

    /** How many runs there are with a device that fails; 200. */
    public CrashTest faults(long count) {
        faults = count;
        return this;
    }

    /** How often the workload is killed, in a process of its own; not at all when it is not given. */
    public CrashTest kills(int count) {
        kills = count;
        return this;
    }

    /** Where the classes are, for the process that is killed, besides the class path of this one: jars and directories. */
    public CrashTest classPath(String entries) {
        classPath = entries;
        return this;
    }

    /** How many are checked at a time; one for each processor. */
    public CrashTest threads(int count) {
        threads = count;
        return this;
    }

    /** Where the store of a finding is kept; a directory in the system's temporary one. */
    public CrashTest keepIn(Path directory) {
        keepIn = directory;
        return this;
    }

    /** Is told how far it is. */
    public CrashTest progress(CampaignPlan.Progress listener) {
        progress = listener;
        return this;
    }

    /** Runs it. A finding is in the report; an exception means that the test itself could not go on. */
    public CrashReport run() {
        try (TemporaryDirectory directory = temporaryDirectory()) {
            return run(directory.path(), workload.getClass().getSimpleName());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /**
     * Checks the store of a finding again, as {@link Finding#repeat} says.
     *
     * @param image the directory in which it was kept; it does not change
     */
    public CrashReport repeat(Path image) {
        try (TemporaryDirectory directory = temporaryDirectory()) {
            Subject subject = new Subject(workload, checker, KeptImage.marks(image).seed());
            CampaignTally tally = tally(workload.getClass().getSimpleName(), directory.path());
            tally.add("kept store");
            Throwable thrown = KeptImage.failure(subject, image, directory.path());
            if (thrown != null) {
                tally.found(new Findings(subject, keepIn, classPath).ofKept(image, thrown));
            }
            return new CrashReport(tally.report());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TemporaryDirectory temporaryDirectory() throws IOException {
        return TemporaryDirectory.create(Path.of(System.getProperty("java.io.tmpdir")), "kvmdb-crashtest-");
    }

    private CampaignTally tally(String name, Path directory) {
        return new CampaignTally(
                name,
                new CampaignPlan(CampaignPlan.Scale.VERIFY, seed, threads, directory, Map.of(), progress));
    }

    /**
     * As {@link #run()}, in that directory, which is empty; what is left in it is of no use.
     *
     * @param name for the report
     */
    public CrashReport run(Path directory, String name) throws IOException, InterruptedException {
        CampaignTally tally = tally(name, directory);
        Subject subject = new Subject(workload, checker, seed);
        Findings findings = new Findings(subject, keepIn, classPath);
        if (states > 0) {
            new StateTest(subject, findings, tally, states, recoveries, threads).run(directory, steps);
        }
        if (faults > 0 && tally.hasNoFindings()) {
            new FaultTest(subject, findings, tally, steps, faults, threads).run(directory);
        }
        if (kills > 0 && tally.hasNoFindings()) {
            new KillTest(subject, findings, tally, kills, threads, classPath).run(directory);
        }
        return new CrashReport(tally.report());
    }
}
