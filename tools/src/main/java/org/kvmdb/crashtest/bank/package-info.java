/**
 * An example: a bank whose accounts lie in a volume, an account a page, with the number of transfers in another. {@code kvmdb
 * crashtest run bank}.
 */
package org.kvmdb.crashtest.bank;
