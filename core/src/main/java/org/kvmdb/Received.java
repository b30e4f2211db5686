package org.kvmdb;

/** A received snapshot, and a summary of its stream. */
public record Received(Snapshot snapshot, StreamSummary summary) {}
