package org.kvmdb.control;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * The one table of what can be asked of a store, by the command that opened it itself or through the socket of the
 * process that has it open. Names and values are part of the protocol and of the command's JSON: keep them.
 */
public final class Operations {

    private static final Map<String, Operation> TABLE = Map.ofEntries(
            entry("info", "", Operations::info),
            entry("statistics", "", Operations::statistics),
            entry("checkpoint", "", Operations::checkpoint),
            entry("volume.list", "", Operations::listVolumes),
            entry("volume.create", "NAME SIZE_BYTES PAGE_SIZE_BYTES", Operations::createVolume),
            entry("volume.resize", "NAME SIZE_BYTES FORCE", Operations::resizeVolume),
            entry("volume.delete", "NAME FORCE", Operations::deleteVolume));

    private Operations() {}

    private static Map.Entry<String, Operation> entry(String name, String argumentNames, Operation.Handler handler) {
        return Map.entry(name, new Operation(argumentNames, handler));
    }

    /** Null when there is none of that name. */
    static Operation find(String name) {
        return TABLE.get(name);
    }

    /** Runs an operation here, on a store that this process has open. */
    public static void run(Store store, String name, List<String> arguments, Answer answer) {
        find(name).run(store, arguments, answer);
    }

    // ---- the store ----

    private static void info(Store store, Arguments arguments, Answer answer) {
        final StoreStatistics.Log log = store.statistics().log();
        answer.fact("fileBytes", log.fileBytes());
        answer.fact("liveBytes", log.liveBytes());
        answer.fact("freeBytes", log.freeBytes());
        answer.fact("mapBytes", log.mapBytes());
        answer.fact("sequence", log.sequence());
        answer.fact("durableSequence", log.durableSequence());
        answer.fact("recoveryNanos", log.recoveryNanos());
        answer.fact("replayedRecords", log.replayedRecords());
        answer.fact("cutBatches", log.cutBatches());
        listVolumes(store, arguments, answer);
    }

    /** All of {@link StoreStatistics}, names joined by dots. */
    private static void statistics(Store store, Arguments arguments, Answer answer) {
        flatten("", store.statistics(), answer);
    }

    private static void flatten(String prefix, Record values, Answer answer) {
        for (RecordComponent component : values.getClass().getRecordComponents()) {
            final String name = prefix + component.getName();
            final Object value = valueOf(component, values);
            if (value instanceof Record nested) {
                flatten(name + ".", nested, answer);
            } else {
                answer.fact(name, value);
            }
        }
    }

    private static Object valueOf(RecordComponent component, Record values) {
        try {
            return component.getAccessor().invoke(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot read " + component, e);
        }
    }

    private static void checkpoint(Store store, Arguments arguments, Answer answer) {
        answer.fact("sequence", store.checkpoint());
    }

    // ---- volumes ----

    private static void listVolumes(Store store, Arguments arguments, Answer answer) {
        store.volumes().forEach(volume -> answer.row("volumes", describe(volume)));
    }

    private static Values describe(Volume volume) {
        return new Values()
                .with("name", volume.name())
                .with("sizeBytes", volume.sizeBytes())
                .with("pageSizeBytes", volume.pageSizeBytes())
                .with("committedLsn", volume.committedLsn());
    }

    private static void createVolume(Store store, Arguments arguments, Answer answer) {
        final int pageSizeBytes = (int) Math.min(arguments.number(2), Integer.MAX_VALUE);
        final VolumeOptions options = new VolumeOptions(arguments.number(1), pageSizeBytes);
        answer.row("volumes", describe(store.createVolume(arguments.text(0), options)));
    }

    private static void resizeVolume(Store store, Arguments arguments, Answer answer) {
        final Volume volume = store.volume(arguments.text(0));
        final long sizeBytes = arguments.number(1);
        if (sizeBytes < volume.sizeBytes()) {
            refuseWhenMapped(volume, "shrinking it takes memory away from that process", arguments.flag(2));
        }
        volume.resize(sizeBytes);
        answer.row("volumes", describe(volume));
    }

    private static void deleteVolume(Store store, Arguments arguments, Answer answer) {
        final Volume volume = store.volume(arguments.text(0));
        refuseWhenMapped(volume, "deleting it takes its memory away from that process", arguments.flag(1));
        store.deleteVolume(volume.name());
        answer.fact("deleted", volume.name());
    }

    /** What an application works on does not go by accident. */
    private static void refuseWhenMapped(Volume volume, String why, boolean force) {
        if (volume.isMapped() && !force) {
            throw new ControlException(
                    Protocol.Code.REFUSED,
                    "volume %s is mapped by process %d, and %s: end its use there first, or say --force"
                            .formatted(volume.name(), ProcessHandle.current().pid(), why));
        }
    }
}
