package org.kvmdb.tools.peers;

import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.kvmdb.tools.peers.PeerSystem.Role;

/** What our figure is compared with. */
interface Reference {

    /** In words; empty when there is nothing to compare with. */
    String label(Results results, Case measured);

    OptionalDouble value(Results results, Case measured, int round);

    static Reference constant(String label, double value) {
        return new Reference() {
            @Override
            public String label(Results results, Case measured) {
                return label;
            }

            @Override
            public OptionalDouble value(Results results, Case measured, int round) {
                return OptionalDouble.of(value);
            }
        };
    }

    static Reference of(PeerSystem system) {
        return new Reference() {
            @Override
            public String label(Results results, Case measured) {
                return results.median(measured, system).isPresent() ? system.label() : "";
            }

            @Override
            public OptionalDouble value(Results results, Case measured, int round) {
                return results.value(measured, system, round);
            }
        };
    }

    /** Another case of ours, as memory. */
    static Reference of(String label, Case other) {
        return new Reference() {
            @Override
            public String label(Results results, Case measured) {
                return results.median(other, PeerSystem.KVMDB).isPresent() ? label : "";
            }

            @Override
            public OptionalDouble value(Results results, Case measured, int round) {
                return results.value(other, PeerSystem.KVMDB, round);
            }
        };
    }

    /** Of the stores, the one with the best median. */
    static Reference bestStore() {
        return best(Set.of(Role.PEER));
    }

    /** Of the stores and plain files. */
    static Reference bestOfAll() {
        return best(Set.of(Role.PEER, Role.PLAIN));
    }

    private static Reference best(Set<Role> roles) {
        return bestOf(List.of(PeerSystem.values()).stream()
                .filter(system -> roles.contains(system.role()))
                .toList());
    }

    static Reference bestOf(List<PeerSystem> systems) {
        return new Reference() {
            @Override
            public String label(Results results, Case measured) {
                PeerSystem best = best(results, measured);
                return best == null ? "" : best.label() + ", the best";
            }

            @Override
            public OptionalDouble value(Results results, Case measured, int round) {
                PeerSystem best = best(results, measured);
                return best == null ? OptionalDouble.empty() : results.value(measured, best, round);
            }

            private PeerSystem best(Results results, Case measured) {
                Comparator<PeerSystem> byMedian = Comparator.comparingDouble(
                        system -> results.median(measured, system).getAsDouble());
                return systems.stream()
                        .filter(system -> results.median(measured, system).isPresent())
                        .max(measured.moreIsBetter() ? byMedian : byMedian.reversed())
                        .orElse(null);
            }
        };
    }
}
