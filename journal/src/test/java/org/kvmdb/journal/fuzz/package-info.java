/**
 * A coverage-guided fuzzer for everything that is read from outside: {@link org.kvmdb.journal.fuzz.FuzzCampaign}. An input is a
 * program of {@linkplain org.kvmdb.journal.fuzz.Edit edits} over the parts of something valid; the target that owns these parts puts
 * them together again and makes checksums and seals right, so that a lie gets past them. The targets, and the code under
 * test, are loaded by an {@link org.kvmdb.journal.fuzz.InstrumentingLoader}, which has the code count the edges that it takes;
 * programs that find new ones are kept and varied further.
 */
package org.kvmdb.journal.fuzz;
