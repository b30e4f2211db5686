package org.kvmdb.journal;

import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;

/** One fault, put into one operation of one workload. */
record FaultCase(
        FaultScript script, FaultyDevice.Operation operation, Fault fault, boolean persistent, int index, long seed) {

    String kind() {
        return "%s %s%s".formatted(operation, fault, persistent ? " persistently" : "");
    }

    /** Options of the campaign that run this case alone. */
    String options() {
        return "--option workload=%s --option operation=%s --option fault=%s --option persistent=%s --option index=%d"
                .formatted(script, operation, fault, persistent, index);
    }

    long hash() {
        long hash = script.ordinal();
        hash = CampaignTally.mix(hash * 31 + operation.ordinal());
        hash = CampaignTally.mix(hash * 31 + fault.ordinal());
        return CampaignTally.mix(hash * 31 + index * 2L + (persistent ? 1 : 0)) ^ CampaignTally.mix(seed);
    }
}
