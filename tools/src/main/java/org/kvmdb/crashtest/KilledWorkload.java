package org.kvmdb.crashtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.kvmdb.Store;
import org.kvmdb.tools.kill.KillChild;

/** The process that is killed: creates the store when there is none, and works on it until then. */
public final class KilledWorkload {

    private static final String DATA_FILE = "store.kvmdb";

    private KilledWorkload() {}

    /** Arguments besides those of every child: the class of the workload, the seed. */
    public static void main(String[] arguments) {
        KillChild.run(arguments, KilledWorkload::work);
    }

    private static void work(KillChild child) throws Exception {
        CrashWorkload workload = (CrashWorkload)
                Class.forName(child.arguments().get(0)).getConstructor().newInstance();
        SharedMarks marks = new SharedMarks(child.record().body());
        CrashContext context = new CrashContext(Long.parseLong(child.arguments().get(1)), marks.of(child));
        if (!marks.isCreated()) {
            create(workload, child.store(), context);
            marks.created();
        }
        child.opening();
        try (Store store = Store.open(child.store(), workload.options())) {
            child.working();
            workload.run(store, context);
            child.closing();
        }
    }

    /** Nobody was promised what a killed creation has left. */
    private static void create(CrashWorkload workload, Path directory, CrashContext context) throws Exception {
        deleteFile(directory);
        try (Store store = Store.create(directory, workload.options())) {
            workload.create(store, context);
        }
    }

    private static void deleteFile(Path directory) throws IOException {
        Files.deleteIfExists(directory.resolve(DATA_FILE));
    }
}
