package org.kvmdb;

/** A snapshot that was received, and what was in its stream. */
public record Received(Snapshot snapshot, StreamSummary summary) {}
