/**
 * A coverage-guided fuzzer for all external input: {@link org.kvmdb.journal.fuzz.FuzzCampaign}. An input is a program
 * of {@linkplain org.kvmdb.journal.fuzz.Edit edits} of the parts of something valid. The target that owns these parts
 * reassembles them and corrects checksums and seals, so that false content passes these checks. An
 * {@link org.kvmdb.journal.fuzz.InstrumentingLoader} loads the targets and the code under test, and makes the code
 * count the edges that it takes. Programs that reach new edges are kept and mutated further.
 */
package org.kvmdb.journal.fuzz;
