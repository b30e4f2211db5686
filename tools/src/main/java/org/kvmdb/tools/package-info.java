/**
 * The {@code kvmdb} command.
 *
 * <p>Priorities, in order: what it reports is true; errors are one sentence; it starts fast. Commands only parse, call
 * the public API and print: whatever is worth reusing belongs to the modules below. Single-threaded, except the demo
 * and the benchmarks, which say so.
 */
package org.kvmdb.tools;
