package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.kvmdb.StreamSummary;
import org.kvmdb.control.Reply;
import org.kvmdb.control.Values;

/** What is worth telling of a store, its volumes and its snapshots. */
final class StoreFacts {

    private StoreFacts() {}

    static Facts ofVolume(Values volume) {
        return new Facts()
                .text("volume", "name", volume.text("name"))
                .size("size", "sizeBytes", volume.number("sizeBytes"))
                .size("page size", "pageSizeBytes", volume.number("pageSizeBytes"))
                .size("referenced", "referencedBytes", volume.number("referencedBytes"))
                .limit("quota", "quotaBytes", volume.number("quotaBytes"))
                .count("committed LSN", "committedLsn", volume.number("committedLsn"));
    }

    static List<Facts> ofVolumes(Reply reply) {
        return reply.rows("volumes").stream().map(StoreFacts::ofVolume).toList();
    }

    static Facts addTo(Facts facts, StreamSummary summary) {
        return facts.count("pages", "pages", summary.pages())
                .count("pages made holes", "holePages", summary.holePages())
                .size("payload, compressed", "payloadBytes", summary.payloadBytes())
                .size("stream", "streamBytes", summary.streamBytes());
    }

    static Facts ofSnapshot(Values snapshot) {
        return new Facts()
                .text("snapshot", "name", snapshot.text("name"))
                .text("taken", "created", snapshot.text("created"))
                .size("size", "sizeBytes", snapshot.number("sizeBytes"))
                .size("referenced", "referencedBytes", snapshot.number("referencedBytes"))
                .count("committed LSN", "committedLsn", snapshot.number("committedLsn"));
    }

    static List<Facts> ofSnapshots(Reply reply) {
        return reply.rows("snapshots").stream().map(StoreFacts::ofSnapshot).toList();
    }

    static Facts ofStore(Path directory, Values store) {
        return new Facts()
                .text("store", "store", directory)
                .size("on disk", "fileBytes", store.number("fileBytes"))
                .size("in use", "liveBytes", store.number("liveBytes"))
                .size("free in segments", "freeBytes", store.number("freeBytes"))
                .size("memory of the map", "mapBytes", store.number("mapBytes"))
                .size("dictionary", "dictionaryBytes", store.number("dictionaryBytes"))
                .count("snapshots", "snapshots", store.number("snapshots"))
                .count("log sequence", "sequence", store.number("sequence"))
                .count("known durable", "durableSequence", store.number("durableSequence"))
                .duration("opened in", "recoveryNanos", store.number("recoveryNanos"))
                .count("records replayed", "replayedRecords", store.number("replayedRecords"))
                .count("torn batches cut", "cutBatches", store.number("cutBatches"));
    }

    /** For programs: all figures of the space operation under the names that it gives them. */
    static Facts ofSpace(Path directory, Values values) {
        Facts facts = new Facts()
                .text("store", "store", directory)
                .flag("exact", "isExact", values.flag("isExact"))
                .flag("adds up", "addsUp", values.flag("addsUp"));
        values.asMap().keySet().stream().filter(name -> !facts.has(name)).forEach(name -> {
            if (name.endsWith("Bytes")) {
                facts.size(name, name, values.number(name));
            } else {
                facts.count(name, name, values.number(name));
            }
        });
        return facts;
    }

    /** Under the name that it came with, by the unit that the name ends in. */
    static void addByUnit(Facts facts, String name, long value) {
        if (name.endsWith("Bytes") || name.startsWith("bytes")) {
            facts.size(label(name), name, value);
        } else if (name.endsWith("Nanos")) {
            facts.duration(label(name), name, value);
        } else {
            facts.count(label(name), name, value);
        }
    }

    /** "resident" of "residentBytes", "first write fault" of "firstWriteFault". */
    static String label(String name) {
        return name.replaceFirst("(?<=[a-z])(Bytes|Nanos)$", "")
                .replaceAll("(?<=[a-z0-9])(?=[A-Z])", " ")
                .toLowerCase(Locale.ROOT);
    }
}
