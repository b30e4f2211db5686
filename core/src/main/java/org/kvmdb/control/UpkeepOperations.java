package org.kvmdb.control;

import org.kvmdb.ScrubOptions;
import org.kvmdb.ScrubReport;
import org.kvmdb.SpaceReport;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;

/** Operations on the space and the health of a store. */
final class UpkeepOperations {

    private UpkeepOperations() {}

    static void space(Store store, Arguments arguments, Answer answer) {
        final SpaceReport report = store.space();
        answer.fact("isExact", report.isExact());
        answer.fact("addsUp", report.addsUp());
        StoreStatistics.valuesOf(report.use()).forEach(answer::fact);
        answer.fact("dirtyReserveBytes", report.reserve().dirtyBytes());
        answer.fact("checkpointReserveBytes", report.reserve().checkpointBytes());
        answer.fact("availableBytes", report.reserve().availableBytes());
        answer.fact("limitBytes", report.reserve().limitBytes());
        answer.fact("deletionsWaiting", report.deletion().waiting());
        answer.fact("deletedBytes", report.deletedBytes());
        report.holders().forEach(holder -> answer.row("holders", describe(holder)));
    }

    private static Values describe(SpaceReport.Holder holder) {
        return new Values()
                .with("name", holder.name())
                .with("origin", holder.origin())
                .with("sizeBytes", holder.sizeBytes())
                .with("pageSizeBytes", holder.pageSizeBytes())
                .with("pages", holder.pages())
                .with("referencedBytes", holder.referencedBytes())
                .with("uniqueBytes", holder.uniqueBytes())
                .with("uniqueNodeBytes", holder.uniqueNodeBytes())
                .with("sharedBytes", holder.sharedBytes())
                .with("quotaBytes", holder.quotaBytes());
    }

    static void scrub(Store store, Arguments arguments, Answer answer) {
        final ScrubOptions options = new ScrubOptions(arguments.number(0), arguments.flag(1));
        final ScrubReport report = store.scrub(options, (doneBytes, totalBytes) -> {
            answer.progress(doneBytes, totalBytes, "bytes");
            return !answer.isCancelled();
        });
        answer.fact("isFinished", report.isFinished());
        answer.fact("isResumed", report.isResumed());
        answer.fact("began", report.began());
        answer.fact("pages", report.pages());
        answer.fact("nodes", report.nodes());
        answer.fact("bytes", report.bytes());
        answer.fact("badCount", report.badCount());
        report.badBlocks().forEach(bad -> answer.row("badBlocks", describe(bad)));
    }

    private static Values describe(ScrubReport.BadBlock bad) {
        return new Values()
                .with("kind", bad.isNode() ? "map node" : "page")
                .with("volume", bad.volume())
                .with("lpn", bad.lpn())
                .with("pages", bad.pages())
                .with("ppn", bad.ppn())
                .with("positionBytes", bad.position())
                .with("fact", bad.fact())
                .with("holders", String.join(",", bad.holders()));
    }

    static void clean(Store store, Arguments arguments, Answer answer) {
        final long deadPercent = arguments.number(0);
        answer.fact("fileBytesBefore", store.statistics().log().fileBytes());
        final long[] dead = {-1, 0};
        store.clean(deadPercent / 100.0, (deadBytes, targetBytes) -> {
            dead[0] = Math.max(dead[0], deadBytes);
            dead[1] = deadBytes;
            answer.progress(dead[0] - deadBytes, Math.max(dead[0] - targetBytes, 0), "bytes");
            return !answer.isCancelled();
        });
        answer.fact("deadBytesBefore", Math.max(dead[0], 0));
        answer.fact("deadBytes", dead[1]);
        answer.fact("liveBytes", store.statistics().log().liveBytes());
        answer.fact("fileBytes", store.statistics().log().fileBytes());
    }
}
