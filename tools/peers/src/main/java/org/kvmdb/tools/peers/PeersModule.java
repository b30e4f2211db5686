package org.kvmdb.tools.peers;

import org.kvmdb.tools.bench.BenchModule;
import picocli.CommandLine;

/** Found by the {@code kvmdb} command when this jar is on its class path. */
public final class PeersModule implements BenchModule {

    @Override
    public void addTo(CommandLine bench) {
        bench.addSubcommand(new PeersCommand());
    }
}
