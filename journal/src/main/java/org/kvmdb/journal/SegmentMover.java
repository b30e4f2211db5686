package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.agrona.collections.IntArrayList;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Moves what is live out of segments, so that a checkpoint can free them. In order: {@link #collect} reads a segment, asks
 * the map which of its blocks are live, verifies each of these and writes it, sealed anew, into a segment of its
 * temperature; {@link #publish} makes those blocks durable and only then appends the records that point the map to them, a
 * small group at a time. A block that a head alone holds gets another entry; one that a snapshot holds keeps its name, see
 * {@link Remaps}. One that changed or died in between is left out. A map node that a head alone holds is not moved but marked as
 * changed: the next checkpoint writes it anew.
 *
 * <p>A block that does not verify stays where it is, is reported, and its segment is not cleaned again.
 *
 * <p>Reading and writing go on beside commits; only looking things up and publishing hold the append lock, for a few
 * hundred blocks at a time. One thread at a time.
 */
public final class SegmentMover implements AutoCloseable {

    /** Streams that a policy may tell apart. */
    public static final int STREAMS_MAX = 16;

    /** Blocks that are looked up or published while the append lock is held. */
    private static final int PIECE = 256;

    /** How long looking things up keeps commits waiting. */
    private static final long LOCKED_NANOS = 500_000;

    private static final int BAD_LISTED_MAX = 100;

    /** A block that a segment's records tell of. */
    private record Candidate(int kind, int info, int volume, long lpn, long ppn) {
        boolean isPage() {
            return kind == RecordDescriptor.KIND_PAGE;
        }

        /** Of a node; -1 of metadata. */
        int level() {
            return NodeIdentity.level(info);
        }

        /** Of a node. */
        long family() {
            return Integer.toUnsignedLong(volume);
        }

        int ageClass() {
            return isPage() ? info >>> RecordDescriptor.INFO_CLASS_SHIFT : 0;
        }
    }

    /** A candidate that some version holds, what its maps call it, and the generation of the segment that it lies in. */
    private record Live(Candidate block, Version holder, long name, int birth, int generation) {}

    /** A block that lies in two places until it is published where it lies now. */
    private record Move(Live live, long newPpn, long writeTime) {}

    /** A segment that was cleaned or cannot be, with the number of checkpoints by then, or NEVER. */
    private record Passed(int generation, long checkpoints) {
        private static final long NEVER = -1;
        /** Not while there is no room for more names in a checkpoint. */
        private static final long FULL = -2;
    }

    /** A segment as it was when its cleaning began. */
    private record Victim(int segment, int generation, long salt, long writeTime, int ageClass) {}

    private final JournalParts parts;
    private final ReentrantLock lock;
    private final Runnable afterChange;
    private final long storeId;
    private final CheckpointSize size;
    private final BatchParser parser;
    private final MapWalk walk;
    private final BlockSeal seal;
    private final RelocationStream[] streams = new RelocationStream[STREAMS_MAX];
    private final List<Move> moves = new ArrayList<>();
    /** Segments that were begun since the last publication, and those of them that were read to their end. */
    private final IntArrayList begun = new IntArrayList();

    private final List<Victim> collected = new ArrayList<>();
    /** Segments that hold what is to be published. */
    private final IntArrayList touched = new IntArrayList();

    private final Map<Integer, Passed> passed = new HashMap<>();

    private final List<BadBlock> badBlocks = new ArrayList<>();
    private long segmentCount;
    private long blockCount;
    private long blockBytes;
    private long nodeCount;
    private long badCount;
    private boolean closed;
    /** Of the piece of work that is under way under the append lock. */
    private Holders holders;
    /** Names that the group that is being appended adds to those in every checkpoint. */
    private int namesAdded;
    /** Whether a block of the segment that is being read has to stay, since there is no room for its name in a checkpoint. */
    private boolean isNameLeft;


    /** @param afterChange runs under the append lock after the map was changed */
    SegmentMover(JournalParts parts, MapWalk walk, ReentrantLock lock, long storeId, Runnable afterChange) {
        this.walk = walk;
        this.parts = parts;
        this.lock = lock;
        this.storeId = storeId;
        this.afterChange = afterChange;
        size = parts.checkpointSize();
        seal = new BlockSeal(parts.dictionary());
        parser = BatchParser.ofAnyStream(parts.device(), parts.segments(), storeId);
    }

    /** What could be cleaned now. */
    public synchronized SegmentCensus census() {
        lock.lock();
        try {
            checkNotClosed(); // of a journal that failed, too: it is asked for statistics to its end
            final SegmentTable segments = parts.segments();
            final IntArrayList found = new IntArrayList();
            int waiting = 0;
            for (int i = 0; i < segments.count(); i++) {
                if (isSettled(i) && segments.live(i) > 0) {
                    if (!isPassed(i)) {
                        found.addInt(i);
                    } else if (passed.get(i).checkpoints >= 0) {
                        waiting++;
                    }
                }
            }
            final int[] result = found.toIntArray();
            final int[] live = new int[result.length];
            final int[] ages = new int[result.length];
            for (int i = 0; i < result.length; i++) {
                live[i] = segments.live(result[i]);
                ages[i] = segments.ages().ageClass(result[i]);
            }
            return new SegmentCensus(result, live, ages, segments.ages().deathBytes(), waiting, segments.ages().clock());
        } finally {
            lock.unlock();
        }
    }

    /** A segment that was cleaned is empty after the next checkpoint but one; one that is not holds what no record tells of. */
    private boolean isPassed(int segment) {
        final Passed before = passed.get(segment);
        if (before == null || before.generation != parts.segments().generation(segment)) {
            passed.remove(segment);
            return false;
        }
        if (before.checkpoints == Passed.FULL && size.namesFit(1)) {
            passed.remove(segment);
            return false;
        }
        if (before.checkpoints >= 0 && parts.counters().checkpoints >= before.checkpoints + 2) {
            bar(segment, new BadBlock(null, -1, 0, "segment %d holds %d live bytes that no record of it tells of"
                    .formatted(segment, parts.segments().live(segment))));
        }
        return true;
    }

    /**
     * Copies what is live in a segment to where its temperature belongs. Throws STORE_FULL when there is no segment for it:
     * what was copied until then can still be published.
     *
     * @param streamOfClass stream for each class of ages, below {@link #STREAMS_MAX}
     * @return whether it can be freed once that is published
     */
    public synchronized boolean collect(int segment, int[] streamOfClass) {
        final Victim victim = victim(segment);
        if (victim == null) {
            return false;
        }
        segmentCount++;
        parser.forget();
        boolean good = true;
        isNameLeft = false;
        for (int offset = 0; offset < parts.segments().segmentSizeBytes(); ) {
            final ScannedBatch batch = parser.parseTwice(segment, victim.generation, victim.salt, offset);
            if (batch == null) {
                break;
            }
            final List<Candidate> candidates = candidatesOf(batch);
            for (int from = 0; from < candidates.size(); from += PIECE) {
                for (Live live : live(victim, candidates.subList(from, Math.min(from + PIECE, candidates.size())))) {
                    good &= copy(victim, live, streamOfClass);
                }
            }
            offset += batch.length();
        }
        if (good && isNameLeft) {
            passed.put(segment, new Passed(victim.generation, Passed.FULL));
            return false;
        }
        if (good) {
            collected.add(victim);
        }
        return good;
    }

    /** The segment, or null when there is nothing to be done for it. */
    private Victim victim(int segment) {
        lock.lock();
        try {
            checkOpen();
            final SegmentTable segments = parts.segments();
            if (!isSettled(segment) || begun.containsInt(segment) || isPassed(segment)) {
                return null;
            }
            begun.addInt(segment);
            return new Victim(
                    segment, segments.generation(segment), segments.salt(segment), segments.ages().writeTime(segment),
                    segments.ages().ageClass(segment));
        } finally {
            lock.unlock();
        }
    }

    /** Whether all that is live in the segment is committed, or known to the durable checkpoint. */
    private boolean isSettled(int segment) {
        final SegmentTable segments = parts.segments();
        return segments.state(segment) == SegmentState.FULL
                && segments.stolen(segment) == 0
                && !segments.hasNewNodes(segment);
    }

    private void checkOpen() {
        parts.failure().check();
        checkNotClosed();
    }

    private void checkNotClosed() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "store is closed");
        }
    }

    private static List<Candidate> candidatesOf(ScannedBatch batch) {
        final List<Candidate> result = new ArrayList<>();
        Records.forEach(batch, record -> {
            final boolean hasBlock =
                    record.kind() == RecordDescriptor.KIND_PAGE || record.kind() == RecordDescriptor.KIND_BLOCK;
            final long ppn = hasBlock ? record.blockPpn(batch) : 0;
            if (ppn != 0) {
                result.add(new Candidate(record.kind(), record.info(), record.volume(), record.first(), ppn));
            }
        });
        return result;
    }

    /** Those of the candidates that are to be moved; nodes that a head alone holds are marked for the next checkpoint instead. */
    private List<Live> live(Victim victim, List<Candidate> candidates) {
        final int[] births = new int[candidates.size()];
        for (int i = 0; i < births.length; i++) {
            births[i] = birth(victim, candidates.get(i));
        }
        final List<Live> result = new ArrayList<>();
        int next = 0;
        while (next < births.length) {
            lock.lock();
            try {
                checkOpen();
                holders = new Holders(parts.catalog(), parts.map(), parts.arena(), walk);
                final long end = System.nanoTime() + LOCKED_NANOS;
                do {
                    final Candidate candidate = candidates.get(next);
                    final long name = parts.segments().remaps().nameOf(candidate.ppn);
                    final Version holder = holder(candidate, name, births[next], true);
                    if (holder != null && !isMovable(candidate, name, result.size())) {
                        isNameLeft = true;
                    } else if (holder != null) {
                        result.add(new Live(candidate, holder, name, births[next], victim.generation));
                    }
                    next++;
                } while (next < births.length && System.nanoTime() < end);
                afterChange.run();
            } finally {
                lock.unlock();
            }
        }
        return result;
    }

    /** Whether its name needs no room in a checkpoint, or there is. */
    private boolean isMovable(Candidate block, long name, int movableBefore) {
        return size.namesFit(moves.size() + movableBefore + 1)
                || parts.segments().remaps().contains(name)
                || block.isPage() && holders.headAlone(block.volume, block.lpn, name) != null;
    }

    private int birth(Victim victim, Candidate block) {
        final MemorySegment header =
                parser.view(victim.segment, Ppn.offsetBytes(block.ppn), BlockDescriptor.HEADER_LENGTH);
        return header == null ? 0 : Fields.intAt(header, BlockDescriptor.BIRTH_EPOCH_OFFSET);
    }

    /** Whose block that is, if it must be moved; else null. */
    private Version holder(Candidate block, long name, int birth, boolean rewritesNodes) {
        if (block.isPage()) {
            final VolumeEntry head = holders.headAlone(block.volume, block.lpn, name);
            return head != null ? head : holders.page(block.volume, block.lpn, name, birth);
        }
        if (block.level() < 0) {
            return null; // metadata, which every checkpoint writes anew
        }
        if (rewritesNodes && holders.rewriteNode(block.family(), block.level(), block.lpn, name)) {
            nodeCount++;
            return null;
        }
        return holders.node(block.family(), block.level(), block.lpn, name, birth);
    }

    private RelocationStream stream(int number) {
        if (streams[number] == null) {
            streams[number] = new RelocationStream(
                    parts.device(), parts.segments(), parts.failure(), storeId, number + 1);
        }
        return streams[number];
    }

    /** Verifies a block and copies it; false, and the segment is barred, when it is not what it must be. */
    private boolean copy(Victim victim, Live live, int[] streamOfClass) {
        final Candidate block = live.block;
        final int length = Ppn.lengthBytes(block.ppn);
        final long family = block.isPage()
                ? live.holder.familyId()
                : NodeIdentity.family(live.holder.familyId(), block.level());
        final MemorySegment bytes = parser.view(victim.segment, Ppn.offsetBytes(block.ppn), length);
        final String wrong = bytes == null ? "device ends within the block" : verify(bytes, victim, live, family);
        if (wrong != null) {
            bar(victim.segment, new BadBlock(live.holder.name(), block.lpn, block.ppn, wrong));
            return false;
        }
        final int ageClass = Math.max(block.ageClass(), victim.ageClass);
        final RelocationStream stream = stream(streamOfClass[ageClass]);
        do {
            if (!stream.hasRoom(length)) {
                stream.enter(takeSegment());
            }
        } while (stream.skipName(length));
        final long moved = stream.add(
                bytes, block.kind, block.isPage() ? RecordDescriptor.pageInfo(ageClass) : block.info, block.volume,
                block.lpn, family);
        moves.add(new Move(live, moved, victim.writeTime));
        blockCount++;
        blockBytes += length;
        return true;
    }

    private String verify(MemorySegment bytes, Victim victim, Live live, long family) {
        final Candidate block = live.block;
        final int crc = seal.crc(bytes, victim.salt, victim.generation, block.ppn, block.lpn, family);
        return block.isPage()
                ? seal.verify(bytes, BlockDescriptor.TYPE_PAGE, crc, live.holder.pageShift())
                : seal.verify(bytes, BlockDescriptor.TYPE_MAP_NODE, crc, Math.max(
                        StoredNode.SHORT_SHIFT, StoredNode.pageShift(bytes)));
    }

    private void bar(int segment, BadBlock bad) {
        passed.put(segment, new Passed(parts.segments().generation(segment), Passed.NEVER));
        badCount++;
        if (badBlocks.size() < BAD_LISTED_MAX) {
            badBlocks.add(bad);
        }
    }

    private int takeSegment() {
        lock.lock();
        try {
            final int taken = parts.log().takeSegment(SpaceClaim.CLEAN);
            if (taken == BatchDescriptor.NO_SEGMENT) {
                throw new StorageException(ErrorCode.STORE_FULL, "store full: no free segment to move blocks to");
            }
            parts.segments().state(taken, SegmentState.OPEN);
            parts.segments().markWritten(taken);
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Makes durable what was copied, and points the map to it. Without anything copied this does nothing. */
    public synchronized void publish() {
        try {
            publishAll();
        } catch (Error e) {
            throw parts.failure().end(e);
        }
    }

    private void publishAll() {
        for (RelocationStream stream : streams) {
            if (stream != null) {
                stream.writeBatch();
            }
        }
        if (!moves.isEmpty()) {
            flush();
        }
        takeTouched();
        noteAges();
        for (int from = 0; from < moves.size() || from == 0 && !touched.isEmpty(); from += PIECE) {
            publish(moves.subList(from, Math.min(from + PIECE, moves.size())), from == 0 ? touched : new IntArrayList());
        }
        moves.clear();
        finish();
    }

    private void noteAges() {
        lock.lock();
        try {
            for (Move move : moves) {
                parts.segments().ages().moved(Ppn.segment(move.newPpn), Ppn.lengthBytes(move.newPpn), move.writeTime);
            }
        } finally {
            lock.unlock();
        }
    }

    private void flush() {
        parts.failure().check();
        try {
            parts.device().flush();
        } catch (RuntimeException e) {
            throw parts.failure().fail(e);
        }
    }

    private void takeTouched() {
        for (RelocationStream stream : streams) {
            if (stream != null) {
                stream.takeTouched().forEach(touched::addInt);
            }
        }
    }

    /** One group of the log: segments that it makes known, then blocks. It needs no flush: until a checkpoint both places hold. */
    private void publish(List<Move> piece, IntArrayList known) {
        lock.lock();
        try {
            final LogWriter log = parts.log();
            final SegmentTable segments = parts.segments();
            log.beginGroup(SpaceClaim.CLEAN);
            namesAdded = 0;
            final List<Move> valid = new ArrayList<>(piece.size());
            try {
                for (int i = 0; i < known.size(); i++) {
                    final int segment = known.getInt(i);
                    log.record(
                            RecordDescriptor.KIND_SEGMENT, 0, segment, segments.salt(segment),
                            Integer.toUnsignedLong(segments.generation(segment)), segments.ages().writeTime(segment));
                }
                holders = new Holders(parts.catalog(), parts.map(), parts.arena(), walk);
                for (Move move : piece) {
                    if (record(log, move)) {
                        valid.add(move);
                    }
                }
                checkRoomForNames();
                log.endGroup(BatchDescriptor.FLAG_COMMIT);
            } catch (RuntimeException e) {
                log.abandonGroup();
                throw e;
            }
            for (Move move : valid) {
                apply(move);
            }
            parts.counters().recordsSinceCheckpoint += known.size() + valid.size();
            afterChange.run();
        } finally {
            lock.unlock();
        }
    }

    /** Adds the record of a move, if the block is still held. */
    private boolean record(LogWriter log, Move move) {
        final Live live = move.live;
        final Candidate block = live.block;
        if (!isWhereItWas(live)) {
            return false;
        }
        if (block.isPage() && holders.headAlone(block.volume, block.lpn, live.name) != null) {
            log.record(RecordDescriptor.KIND_MOVE, 0, block.volume, block.lpn, move.newPpn, live.name);
            return true;
        }
        if (holder(block, live.name, live.birth, false) == null) {
            return false;
        }
        log.record(RecordDescriptor.KIND_REMAP, 0, 0, live.name, move.newPpn);
        namesAdded += parts.segments().remaps().contains(live.name) ? 0 : 1;
        return true;
    }

    /**
     * Whether the name still stands for the block that was copied. Publication may come long after that, when the one before did not
     * end: the block may have died, its segment been freed, and the page been written again at the very same place.
     */
    private boolean isWhereItWas(Live live) {
        final SegmentTable segments = parts.segments();
        return segments.resolve(live.name) == live.block.ppn
                && segments.generation(Ppn.segment(live.block.ppn)) == live.generation;
    }

    /** Checkpoints hold them all: they may take from what makes room, not from what checkpoints need. */
    private void checkRoomForNames() {
        final SegmentTable segments = parts.segments();
        final long reserve = size.reserveBytes((long) namesAdded * CatalogDescriptor.REMAP_LENGTH);
        if (namesAdded > 0
                && !segments.free().ensure(SpaceClaim.MAKE_ROOM.leavesBytes(reserve, segments.segmentSizeBytes()))) {
            throw parts.log().storeFull();
        }
    }

    private void apply(Move move) {
        final Candidate block = move.live.block;
        final VolumeEntry head =
                block.isPage() ? holders.headAlone(block.volume, block.lpn, move.live.name) : null;
        if (head == null) {
            parts.segments().remap(move.live.name, move.newPpn);
        } else if (!parts.map().move(head, block.lpn, move.live.name, move.newPpn)) {
            throw parts.failure().fail(new StorageException(
                    ErrorCode.FAILED, "a block was moved twice: " + Ppn.toString(move.live.name)));
        }
    }

    private void finish() {
        lock.lock();
        try {
            for (int i = 0; i < touched.size(); i++) {
                if (!isOpen(touched.getInt(i))) {
                    parts.segments().state(touched.getInt(i), SegmentState.FULL);
                }
            }
            for (Victim victim : collected) {
                passed.put(victim.segment, new Passed(victim.generation, parts.counters().checkpoints));
            }
            begun.clear();
            collected.clear();
            touched.clear();
        } finally {
            lock.unlock();
        }
    }

    private boolean isOpen(int segment) {
        for (RelocationStream stream : streams) {
            if (stream != null && stream.openSegment() == segment) {
                return true;
            }
        }
        return false;
    }

    /** Blocks that could not be moved, the first ones. */
    public synchronized List<BadBlock> badBlocks() {
        return List.copyOf(badBlocks);
    }

    public synchronized MoveStatistics statistics() {
        long written = 0;
        for (RelocationStream stream : streams) {
            written += stream == null ? 0 : stream.writtenBytes();
        }
        return new MoveStatistics(segmentCount, blockCount, blockBytes, written, nodeCount, badCount);
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (RelocationStream stream : streams) {
            if (stream != null) {
                stream.close();
            }
        }
        parser.close();
    }
}
