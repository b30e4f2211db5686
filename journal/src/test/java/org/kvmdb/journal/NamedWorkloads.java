package org.kvmdb.journal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Workloads that were thought out, each around something that recovery must get right. */
final class NamedWorkloads {

    private static final Map<String, String> TEXTS = new LinkedHashMap<>();

    static {
        TEXTS.put("small-commits", """
                create a 262144 12; put a 0; put a 1-3; put-async a 0,5; put-async a 6; trim-async a 1; sync
                put a 1,1; trim a 2,40
                """);
        TEXTS.put("large-commits", """
                create a 524288 12; put a 0-59; put a 3; abandon a 0-39; put a 20-64; checkpoint; put-async a 50-99; put a 7
                """);
        TEXTS.put("stolen-pages", """
                create a 262144 12; create b 262144 13; put a 1,2; steal a 10-29; steal b 1,2; checkpoint; steal a 11,12
                put a 12,13; steal a 40; drop-stolen; steal b 3; commit-stolen-async; checkpoint; checkpoint; put b 1
                """);
        TEXTS.put("volumes", """
                create a 262144 12; create b 2457600 12; put b 500-539; checkpoint; resize b 2129920; put b 519
                resize b 2867200; put-async a 1; delete b; create b 32768 13; put b 0; quota b 8192; checkpoint; delete a
                """);
        TEXTS.put("deletion-in-pieces", """
                create a 12288000 12; put a 0,600,1200,1800,2400; snapshot a s1; put a 0,601,1200; checkpoint; snapshot a s2
                put a 1,600,2400; clone a@s1 c; put c 1800; delete-snapshot a@s2; drop 1; checkpoint; put a 0,2400; drop 1
                put a 600,1801; checkpoint; drop-all; delete c; drop 1; roll-back a@s1; put a 3; delete-snapshot a@s1
                drop-all; checkpoint; put a 4
                """);
        TEXTS.put("closed-and-killed", """
                create a 262144 12; put a 0,1; close; put a 0; put-async a 7; kill; put a 1,2; close; put a 1; put-async a 8
                kill; put a 2,3; close; put a 2; put-async a 9; kill; close; close
                """);
        TEXTS.put("closed-at-once", "create a 32768 12; put a 0; close; checkpoint");
        TEXTS.put("cleaner", """
                create a 524288 12; create b 262144 13; put a 0-19; put b 0-5; put a 8-27; put b 3-8; put a 16-35; put b 6-11
                put a 24-43; put b 9-14; put a 32-51; put b 12-17; put a 40-59; put b 15-20; checkpoint; put a 1,3,5,7,60
                clean 3; put a 9,11; checkpoint; clean 2; put a 9,12; steal b 1,2; clean 2; commit-stolen; checkpoint
                put a 0-29; checkpoint
                """);
        TEXTS.put("dictionary", """
                create a 524288 12; put a 0-9; offer-dictionary; put a 3; snapshot a s1; checkpoint; put a 5-14; steal a 20
                checkpoint; commit-stolen; clean 2; send a@s1 r; kill; put a 3-5; close; put a 1; clean 2; put-async a 2; kill
                put a 30-40
                """);
        TEXTS.put("space-given-back", """
                create a 524288 12; put a 0-99; put a 0-99; checkpoint; punch 2; put a 0-9; prepare; put a 10-59; checkpoint
                punch 4; kill; put a 3; checkpoint; punch 1; close; put a 0-40
                """);
    }

    private NamedWorkloads() {}

    static List<String> names() {
        return List.copyOf(TEXTS.keySet());
    }

    static List<Step> steps(String name) {
        return Step.parseAll(TEXTS.get(name));
    }

    /** The workload of that name, or the steps that the text is. */
    static List<Step> stepsOf(String nameOrText) {
        return Optional.ofNullable(TEXTS.get(nameOrText)).map(Step::parseAll).orElseGet(() -> Step.parseAll(nameOrText));
    }
}
