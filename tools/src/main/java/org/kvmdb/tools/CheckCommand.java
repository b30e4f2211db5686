package org.kvmdb.tools;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;
import org.kvmdb.gc.VolumeReport;
import org.kvmdb.journal.Defect;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Verify every structure and every block of a store, without changing it.",
            "",
            "Exits with 1 when something is wrong, and says where."
        },
        footer = {"%nExamples:", "  kvmdb check /data/store", "  kvmdb check /data/store --json"})
final class CheckCommand implements Callable<Integer> {

    /** The one file of a store. */
    private static final String DATA_FILE = "store.kvmdb";

    private static final int DEFECTS_SHOWN = 20;

    @Parameters(paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        Path file = directory.resolve(DATA_FILE);
        if (Files.notExists(file)) { // not where it cannot be known: opening it says why
            throw new CommandFailedException("no store at " + directory + ": " + file + " does not exist");
        }
        StoreReport report = check(file);
        output.print(facts(report), text(report));
        if (!report.isClean()) {
            throw new CommandFailedException(
                    "the store is damaged: %s in %s".formatted(Wording.counted(report.defectCount(), "defect"), file));
        }
        return 0;
    }

    private StoreReport check(Path file) {
        // What there is to do is known only once the map has been read.
        Progress[] progress = new Progress[1];
        try {
            return StoreChecker.check(file, (doneBytes, totalBytes) -> {
                if (progress[0] == null) {
                    progress[0] = new Progress("check", totalBytes);
                }
                progress[0].reach(doneBytes);
            });
        } catch (StorageException e) {
            if (e.code() == ErrorCode.STORE_IN_USE) {
                throw new CommandFailedException(
                        "the store %s is open in another process, and check needs one that is not: close it there first"
                                .formatted(directory),
                        e);
            }
            throw e;
        } finally {
            if (progress[0] != null) {
                progress[0].close();
            }
        }
    }

    private Facts summary(StoreReport report) {
        return new Facts()
                .text("store", "store", directory)
                .flag("clean", "clean", report.isClean())
                .count("defects", "defects", report.defectCount())
                .count("pages", "pages", report.pages())
                .size("compressed from", "pageBytes", report.pageBytes())
                .size("to", "blockBytes", report.blockBytes())
                .count("map nodes", "nodes", report.nodes())
                .count("metadata blocks", "metadataBlocks", report.metadataBlocks())
                .count("superblock copies, of 4", "superblockCopies", report.superblockCopies())
                .count("batches since checkpoint", "batches", report.batches())
                .count("torn batches", "tornBatches", report.tornBatches())
                .size("verified", "checkedBytes", report.checkedBytes())
                .size("on disk", "allocatedBytes", report.allocatedBytes())
                .duration("took", "tookNanos", report.nanos());
    }

    private Facts facts(StoreReport report) {
        return summary(report)
                .list("volumes", report.volumes().stream().map(CheckCommand::facts).toList())
                .list("defectList", report.defects().stream().map(CheckCommand::facts).toList());
    }

    private static Facts facts(VolumeReport volume) {
        return new Facts()
                .text("volume", "name", volume.name())
                .size("size", "sizeBytes", volume.sizeBytes())
                .size("page size", "pageSizeBytes", volume.pageSizeBytes())
                .count("pages", "pages", volume.pages())
                .size("compressed", "blockBytes", volume.blockBytes());
    }

    private static Facts facts(Defect defect) {
        return new Facts()
                .text("defect", "kind", defect.kind())
                .text("what", "fact", defect.fact())
                .text("volume", "volume", defect.volume())
                .count("lpn", "lpn", defect.lpn())
                .count("ppn", "ppn", defect.ppn())
                .count("position", "positionBytes", defect.position())
                .texts("holders", defect.holders());
    }

    private String text(StoreReport report) {
        String volumes = TextTable.of(report.volumes().stream().map(CheckCommand::facts).toList());
        StringBuilder text = new StringBuilder(summary(report).asText());
        text.append(System.lineSeparator()).append(volumes);
        List<Defect> shown = report.defects().stream().limit(DEFECTS_SHOWN).toList();
        if (!shown.isEmpty()) {
            text.append(System.lineSeparator());
        }
        shown.forEach(defect -> text.append("  %s%n%s".formatted(
                Wording.printable(defect.toString()), Wording.heldBy(defect.holders()))));
        if (report.defectCount() > shown.size()) {
            text.append("  ... and %d more%n".formatted(report.defectCount() - shown.size()));
        }
        return text.toString();
    }
}
