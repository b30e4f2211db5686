package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.kvmdb.tools.ChildJvm;

/**
 * What a child is told, and how it answers: lines on standard output.
 *
 * @param parentPid when that process is gone, the child ends
 */
record ChildContext(
        PeerSystem system,
        Path directory,
        Path corpus,
        long pages,
        long limitBytes,
        double seconds,
        double compression,
        long parentPid) {

    /** Marks lines that are an answer. */
    static final String ANSWER = "@ ";

    List<String> arguments() {
        return List.of(
                system.label(),
                directory.toString(),
                corpus.toString(),
                Long.toString(pages),
                Long.toString(limitBytes),
                Double.toString(seconds),
                Double.toString(compression),
                Long.toString(parentPid));
    }

    static ChildContext parse(List<String> arguments) {
        return new ChildContext(
                PeerSystem.of(arguments.get(0)),
                Path.of(arguments.get(1)),
                Path.of(arguments.get(2)),
                Long.parseLong(arguments.get(3)),
                Long.parseLong(arguments.get(4)),
                Double.parseDouble(arguments.get(5)),
                Double.parseDouble(arguments.get(6)),
                Long.parseLong(arguments.get(7)));
    }

    Peer open(PeerSetup.Access access) throws IOException {
        return system.open(new PeerSetup(directory, pages, limitBytes, access));
    }

    PageSource source(Arena arena) throws IOException {
        return PageSource.read(corpus, arena);
    }

    /** One result. */
    void answer(Case measured, double value) {
        System.out.println(ANSWER + measured.name() + " " + String.format(Locale.ROOT, "%.9g", value));
    }

    void exitWithParent() {
        ChildJvm.exitWithParent(parentPid);
    }
}
