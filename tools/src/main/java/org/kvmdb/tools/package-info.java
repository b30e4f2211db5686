/**
 * The {@code kvmdb} command.
 *
 * <p>Priorities, in order: its reports are true; an error is one sentence; it starts fast. Commands only parse
 * arguments, call the public API and print; reusable code belongs to the modules below. Single-threaded, except the
 * demo and the benchmarks, which say so.
 */
package org.kvmdb.tools;
