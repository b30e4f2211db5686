package org.kvmdb.journal.planted;

import static org.kvmdb.journal.planted.Patch.of;

import java.util.List;
import org.kvmdb.journal.planted.Patch.Answer;
import org.kvmdb.journal.planted.Patch.Call;
import org.kvmdb.journal.planted.Patch.Decide;
import org.kvmdb.journal.planted.Patch.DecideNth;
import org.kvmdb.journal.planted.Patch.Redirect;
import org.kvmdb.journal.planted.Patch.Return;
import org.kvmdb.journal.planted.Patch.Skip;
import org.kvmdb.journal.planted.Patch.Twice;

/** Bugs that the store could have, and with which check each is hunted. Each is one switch; none is in the store's own code. */
enum Bug {
    FLUSH_SKIPPED("a commit is acknowledged without a flush", "crash-commits",
            of("LogWriter", "flush", new Skip(Call.of("Device", "flush")))),
    ACKNOWLEDGED_BEFORE_FLUSH("a commit is acknowledged, and flushed later", "crash-commits",
            of("Append", "flush", new Redirect(Call.of("LogWriter", "flush"), "flushLate"))),
    FAILED_FLUSH_RETRIED("a flush that failed is tried again", "fault-flush",
            of("LogWriter", "flush", new Redirect(Call.of("Device", "flush"), "flushRetrying"))),
    FAILED_WRITE_FORGOTTEN("a write that failed does not end the journal", "fault-write",
            of("Failure", "check", new DecideNth(2, 2, true))),
    ENTRIES_FLIPPED_BEFORE_FLUSH("the map changes before the commit is durable", "direct-seen-during-flush",
            of("Workload", "finish", new Redirect(Call.of("Append", "flush"), "applyAndFlush")),
            of("Workload", "finish", new Redirect(Call.of("Append", "apply"), "applyOnce"))),
    UNFLUSHED_CALLED_DURABLE("a batch says that what was only written is durable", "crash-commits",
            of("LogWriter", "putHeader", new Redirect(new Call("Fields", "putLong", 3, 7), "putSequenceBefore"))),
    COMMIT_MARK_IGNORED("records apply with their batch, not with their commit", "crash-large-commits",
            of("Recovery", "apply", new Redirect(Call.of("ScannedBatch", "has"), "hasMarkOrPages"))),
    ABANDONED_GROUP_APPLIED("what was given up is applied with the next commit", "crash-large-commits",
            of("Recovery", "apply", new Redirect(new Call("List", "clear", 1, 2), "clearNodes"))),
    BATCH_APPLIED_TWICE("a commit is replayed twice", "crash-versions",
            of("Recovery", "apply", new Twice(Call.of("List", "forEach")))),
    RECORD_IGNORED("one record in some is not replayed", "crash-commits",
            of("Records", "forEach", new Redirect(Call.of("Consumer", "accept"), "acceptAllButSome"))),
    STOLEN_PAGES_FORGOTTEN("a commit does not name the pages that were stolen before it", "crash-stolen-pages",
            of("Append", "reference", new Skip(Call.of("LogWriter", "record")))),
    STOLEN_SEGMENTS_FREED("a checkpoint frees segments that hold stolen pages", "crash-stolen-pages",
            of("Checkpointer", "cut", new Answer(Call.of("SegmentTable", "stolen"), 0)),
            of("Checkpointer", "end", new Answer(Call.of("SegmentTable", "stolen"), 0))),
    DIGEST_CHAIN_NOT_CHECKED("a batch need not follow the one before it", "rot-fork",
            of("Recovery", "isNext", new Decide(Call.of("ScannedBatch", "previousDigest"), false))),
    LAST_UNIT_REWRITTEN("the log goes on in the last unit that it wrote", "direct-orderly-close",
            of("Journal", "recover", new Redirect(Call.of("LogWriter", "resume"), "resumeOneUnitEarlier"))),
    IDLE_SEAL_LEFT_OUT("an idle log does not say that it is durable", "rot-last-batch",
            of("IdleWork", "sealIfIdle", new Skip(Call.of("LogWriter", "writeSeal")))),
    CLOSING_SEAL_LEFT_OUT("closing does not mark the log", "direct-orderly-close",
            of("Journal", "closeLog", new Skip(Call.of("LogWriter", "writeSeal")))),
    SALT_NOT_CHECKED("a page whose content is a batch is taken for one", "crash-forged-page",
            of("BatchParser", "isOurs", new Decide(new Call("Fields", "longAt", 2, 2), false))),
    SUCCESSORS_NOT_SEARCHED("rot is judged by the segment that it is in alone", "rot-batches",
            of("Recovery", "judgeEnd", new Answer(new Call("Recovery", "searchSegment", 2, 2), 0))),
    LOG_CUT_AT_ROTTEN_MIDDLE("rot in the middle of the log is taken for its end", "rot-batches",
            of("Recovery", "run", new Skip(Call.of("Recovery", "judgeEnd")))),
    BATCH_CHECKSUM_NOT_CHECKED("a torn batch is taken for a whole one", "crash-commits",
            of("BatchParser", "parse", new Decide(Call.of("Digests", "batchCrc"), false))),
    BATCH_PADDING_NOT_CHECKED("the padding of batches is not looked at", "rot-batches",
            of("BatchParser", "parse", new Answer(Call.of("Fields", "isZero"), 1))),
    BLOCK_PADDING_NOT_CHECKED("the checksum of a block leaves its padding out", "rot-blocks",
            of("BlockSeal", "crc", new Redirect(Call.of("MemorySegment", "asSlice"), "withoutPadding"))),
    BLOCK_CHECKSUM_NOT_VERIFIED("a block's checksum is not verified on read", "rot-blocks",
            of("BlockSeal", "decode", new Decide(new Call("Fields", "intAt", 1, 2), true))),
    MISPLACED_BLOCK_ACCEPTED("a block's checksum covers neither place nor page", "rot-misplaced",
            of("BlockSeal", "crc", new Skip(new Call("ByteBuffer", "putLong", 3, 5))),
            of("BlockSeal", "crc", new Skip(new Call("ByteBuffer", "putLong", 3, 4)))),
    STALE_BLOCK_ACCEPTED("a block's checksum covers no generation of its segment", "rot-stale",
            of("BlockSeal", "crc", new Skip(new Call("ByteBuffer", "putLong", 1, 5))),
            of("BlockSeal", "crc", new Skip(new Call("ByteBuffer", "putLong", 1, 4)))),
    STALE_MAP_NODE_ACCEPTED("a map node is taken for what it was asked for", "rot-older",
            of("MapLoader", "loadLevel", new Answer(Call.of("MapLoader", "loadLeaf"), 0)),
            of("MapLoader", "decode", new Redirect(Call.of("BlockReader", "verify"), "verifyUnsealed"))),
    TAIL_BLOCKS_NOT_VERIFIED("blocks of the tail are not verified", "crash-large-commits",
            of("Recovery", "verified", new Answer(Call.of("Recovery", "blocksVerify"), 1))),
    TAIL_NOT_SETTLED("what a recovery accepts is not made durable", "crash-closing",
            of("Recovery", "settle", new Skip(Call.of("Device", "write"))),
            of("Recovery", "settle", new Skip(Call.of("Device", "flush")))),
    CHECKPOINT_NOT_FLUSHED("the superblock is written before what it refers to is durable", "crash-reuse",
            of("Checkpointer", "end", new Skip(Call.of("LogWriter", "flush")))),
    SUPERBLOCK_COPIES_IN_ONE_FLUSH("both copies of the superblock hang in one flush", "crash-reuse",
            of("SuperblockStore", "writeSlot", new Redirect(Call.of("Device", "flush"), "flushEverySecond"))),
    SUPERBLOCK_IN_WRONG_SLOT("the superblock is written over the one before it", "crash-reuse",
            of("SuperblockStore", "write", new Redirect(Call.of("Superblock", "generation"), "generationAfter"))),
    SUPERBLOCK_REPAIRED_IN_ONE_FLUSH("the copy of a superblock is made before that is durable", "direct-superblock-repaired",
            of("SuperblockStore", "repair", new Skip(Call.of("Device", "flush")))),
    SUPERBLOCK_LOSS_UNNOTICED("an older superblock is taken when the newest is lost", "rot-superblock",
            of("Recovery", "scan", new Skip(Call.of("Recovery", "checkGeneration"))),
            of("Recovery", "searchSegment", new Skip(Call.of("Recovery", "checkGeneration")))),
    FREED_BEFORE_SUPERBLOCK("a checkpoint frees before its superblock is durable", "crash-reuse",
            of("Checkpointer", "write", new Redirect(Call.of("SuperblockStore", "write"), "writeSuperblockLate")),
            of("Checkpointer", "end", new Skip(Call.of("LogWriter", "checkpointGeneration")))),
    REUSED_BEFORE_CHECKPOINT("a segment is used anew when its last block dies", "crash-reuse",
            of("PageMap", "removePage", new Redirect(Call.of("SegmentTable", "removeLive"), "removeLiveAndFree"))),
    REUSED_BEFORE_READERS_LEFT("a segment is used anew while readers may look at it", "direct-readers",
            of("FreeSegments", "reclaim", new Answer(new Call("ReaderGrace", "passed", 2, 2), 1))),
    PUNCHED_BEFORE_CHECKPOINT("a segment gives its space back when its last block dies", "crash-reuse",
            of("PageMap", "removePage", new Redirect(Call.of("SegmentTable", "removeLive"), "removeLiveAndPunch"))),
    CHECKPOINT_HOLDS_LATER_ENTRIES("a checkpoint writes entries that changed since its cut", "crash-overtaken-checkpoint",
            of("PageMap", "isFrozen", new Return(0))),
    MOVED_BLOCKS_NOT_VERIFIED("the cleaner moves blocks unseen", "direct-cleaner-meets-rot",
            of("SegmentMover", "verify", new Return(0))),
    MOVED_BLOCKS_NOT_FLUSHED("the map points to moved blocks that are not durable", "crash-cleaner",
            of("SegmentMover", "publishAll", new Skip(Call.of("SegmentMover", "flush")))),
    MOVE_WITHOUT_COMPARE("a block is moved though the page changed meanwhile", "direct-cleaner-overtaken",
            of("SegmentMover", "record", new Redirect(Call.of("Holders", "headAlone"), "headAnyway")),
            of("SegmentMover", "apply", new Redirect(Call.of("Holders", "headAlone"), "headAnyway")),
            of("PageMap", "move", new Answer(Call.of("PageMap", "isOwn"), 1))),
    NAMES_NOT_CHECKPOINTED("a checkpoint forgets where blocks of snapshots were moved", "crash-cleaner",
            of("Checkpointer", "cut", new Redirect(Call.of("Remaps", "cut"), "cutWithoutNames"))),
    NAME_USED_ANEW("a block is written where the name of another one lies", "direct-names",
            of("Remaps", "isTaken", new Return(0))),
    EPOCH_STANDS_STILL("a snapshot does not begin an epoch", "crash-versions",
            of("CatalogChanges", "createSnapshot", new Skip(new Call("Catalog", "epoch", 3, 3)))),
    DELETION_CURSOR_FORGOTTEN("a checkpoint does not say how far a deletion is", "crash-versions",
            of("MetadataCodec$VersionImage", "of", new Answer(Call.of("VolumeEntry", "dropCursor"), 0)),
            of("MetadataCodec$VersionImage", "of", new Answer(Call.of("SnapshotEntry", "dropCursor"), 0)));

    private final String what;
    private final String check;
    private final List<Patch> patches;

    Bug(String what, String check, Patch... patches) {
        this.what = what;
        this.check = check;
        this.patches = List.of(patches);
    }

    /** What it does, in some words. */
    String what() {
        return what;
    }

    String check() {
        return check;
    }

    List<Patch> patches() {
        return patches;
    }
}
