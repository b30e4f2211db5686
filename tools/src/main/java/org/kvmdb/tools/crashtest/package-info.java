/**
 * {@code kvmdb crashtest}: runs the campaigns that are on the class path, and reports their findings on one page, as
 * text and as HTML. The campaigns themselves define the tests.
 */
package org.kvmdb.tools.crashtest;
