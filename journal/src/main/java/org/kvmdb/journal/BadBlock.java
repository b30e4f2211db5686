package org.kvmdb.journal;

/**
 * A block that was found bad while the store was in use.
 *
 * @param volume name of the volume whose page it is, or null
 * @param lpn the page, or -1
 * @param ppn PPN of the block, or 0
 * @param fact what is wrong with the block
 */
public record BadBlock(String volume, long lpn, long ppn, String fact) {}
