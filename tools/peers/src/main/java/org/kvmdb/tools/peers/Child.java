package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.util.List;

/** The process in which one system does one work. */
final class Child {

    /** The stage that makes data, for whatever work. */
    static final String LOAD = "make-data";

    private Child() {}

    /** Arguments: work, stage, and those of {@link ChildContext}. Fails with the reason as its last line. */
    public static void main(String[] arguments) {
        int code = 0;
        try {
            List<String> words = List.of(arguments);
            ChildContext context = ChildContext.parse(words.subList(2, words.size()));
            watchParent(context);
            if (words.get(1).equals(LOAD)) {
                makeData(context);
            } else {
                Works.of(words.get(0)).run(words.get(1), context);
            }
        } catch (Throwable failure) {
            failure.printStackTrace(System.out);
            System.out.println(String.valueOf(failure).lines().findFirst().orElse("failed"));
            code = 1;
        }
        System.out.flush();
        // Threads of libraries may still run.
        Runtime.getRuntime().halt(code);
    }

    static void makeData(ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.LOAD)) {
            peer.load(context.pages(), context.source(arena));
        }
    }

    private static void watchParent(ChildContext context) {
        Thread.ofPlatform().daemon().name("watch-parent").start(() -> {
            while (true) {
                context.exitWithParent();
                try {
                    Thread.sleep(500);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
    }
}
