package org.kvmdb.tools.kill;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What is killed, and what must hold of what it leaves. Used by one loop, in one thread. */
public interface KillSubject {

    /** The child's class; its {@code main} hands its arguments to {@link KillChild#run}. */
    Class<?> child();

    /** What the child gets besides the loop's own arguments. */
    List<String> arguments(KillCycle cycle);

    /** Bytes of {@link KillRecord#body}. It starts as zeros and is kept from cycle to cycle. */
    long recordBytes();

    /** Before each child is started. The store is the real one. */
    void prepare(KillCycle cycle, Path store, KillRecord record) throws IOException;

    /**
     * Checks what the dead child left. The store at that directory is a copy in memory of the one that was killed: it can
     * be opened in any way and changed, the next child meets the store as it was at death.
     *
     * @throws KillFailure when something does not hold; any other exception is a finding, too
     */
    void check(KillCycle cycle, Path store, KillRecord record) throws Exception;
}
