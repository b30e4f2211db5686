package org.kvmdb.journal.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Varies programs of edits by chance, knowing the parts of the input and where their fields are. Seeded. */
final class EditMutator {

    private static final int EDITS_MAX = 12;
    private static final long[] INTERESTING = {
        0, 1, 2, 3, 7, 8, 15, 16, 63, 64, 127, 128, 255, 256, 511, 512, 4095, 4096, 8192, 65535, 65536, 1 << 20,
        Integer.MAX_VALUE - 1, Integer.MAX_VALUE, 1L << 31, 0xFFFF_FFFFL, 1L << 32, 1L << 36, 1L << 48, 1L << 62,
        Long.MAX_VALUE - 4096, Long.MAX_VALUE, Long.MIN_VALUE, -1, -2, -64, -4096
    };

    private final SplittableRandom random;
    private final List<Place> places;
    private final Map<String, List<Place>> byKind;
    private final List<String> kinds;

    EditMutator(List<Place> places, SplittableRandom random) {
        this.random = random;
        this.places = places;
        byKind = places.stream().collect(Collectors.groupingBy(Place::kind, TreeMap::new, Collectors.toList()));
        kinds = List.copyOf(byKind.keySet());
    }

    /** @param corpus not empty */
    List<Edit> vary(List<List<Edit>> corpus) {
        final List<Edit> program =
                new ArrayList<>(random.nextBoolean() ? List.of() : corpus.get(random.nextInt(corpus.size())));
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            switch (random.nextInt(8)) {
                case 0 -> remove(program);
                case 1 -> replaceValue(program);
                case 2 -> program.addAll(corpus.get(random.nextInt(corpus.size())));
                default -> program.add(random.nextInt(program.size() + 1), edit());
            }
        }
        while (program.size() > EDITS_MAX) {
            remove(program);
        }
        return program;
    }

    private void remove(List<Edit> program) {
        if (!program.isEmpty()) {
            program.remove(random.nextInt(program.size()));
        }
    }

    private void replaceValue(List<Edit> program) {
        if (program.isEmpty()) {
            return;
        }
        final int index = random.nextInt(program.size());
        final Edit edit = program.get(index);
        program.set(
                index,
                new Edit(edit.op(), edit.place(), edit.at(), edit.width(), value(), edit.other(), edit.otherAt()));
    }

    /** Kinds have equal chances, however many there are of each. */
    private Place place() {
        final List<Place> ofKind = byKind.get(kinds.get(random.nextInt(kinds.size())));
        return ofKind.get(random.nextInt(ofKind.size()));
    }

    private Edit edit() {
        final Place place = place();
        final Place.Field field = field(place);
        return switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4, 5 -> Edit.number(Edit.Op.SET, place.name(), field.at(), field.width(), value());
            case 6, 7 -> Edit.number(Edit.Op.ADD, place.name(), field.at(), field.width(), small());
            case 8 -> Edit.number(Edit.Op.FLIP, place.name(), field.at(), field.width(), 1L << random.nextInt(64));
            case 9, 10 -> copyField(place, field);
            case 11 -> range(Edit.Op.COPY, place, field);
            case 12 -> range(Edit.Op.INSERT, place, field);
            case 13 -> new Edit(Edit.Op.DELETE, place.name(), field.at(), length(), 0, "", 0);
            case 14 -> random.nextInt(4) == 0
                    ? new Edit(Edit.Op.CUT, place.name(), random.nextInt(place.seed().length + 1), 0, 0, "", 0)
                    : new Edit(Edit.Op.FILL, place.name(), field.at(), length(), value(), "", 0);
            default -> swap(place);
        };
    }

    private Edit copyField(Place place, Place.Field field) {
        final Place other = random.nextInt(3) == 0 ? places.get(random.nextInt(places.size())) : sameKind(place);
        final Place.Field from = field(other);
        return new Edit(Edit.Op.COPY, place.name(), field.at(), field.width(), 0, other.name(), from.at());
    }

    /** A stretch of another place of the kind, mostly from field to field. */
    private Edit range(Edit.Op op, Place place, Place.Field field) {
        final Place other = sameKind(place);
        return new Edit(op, place.name(), field.at(), length(), 0, other.name(), field(other).at());
    }

    private Edit swap(Place place) {
        return new Edit(Edit.Op.SWAP, place.name(), 0, 0, 0, sameKind(place).name(), 0);
    }

    private Place sameKind(Place place) {
        final List<Place> ofKind = byKind.get(place.kind());
        return ofKind.get(random.nextInt(ofKind.size()));
    }

    private Place.Field field(Place place) {
        if (!place.fields().isEmpty() && random.nextInt(8) != 0) {
            return place.fields().get(random.nextInt(place.fields().size()));
        }
        return new Place.Field(random.nextInt(Math.max(1, place.seed().length)), 1 << random.nextInt(4));
    }

    private int length() {
        return random.nextInt(3) == 0 ? 1 + random.nextInt(200) : 8 * (1 + random.nextInt(16));
    }

    private long small() {
        final long n = 1L << random.nextInt(random.nextInt(4) == 0 ? 40 : 8);
        return random.nextBoolean() ? n : -n;
    }

    private long value() {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong() >>> random.nextInt(64);
            case 1 -> random.nextInt(64);
            default -> INTERESTING[random.nextInt(INTERESTING.length)];
        };
    }
}
