/**
 * An example: a bank with its accounts in one volume, one account per page, and the number of transfers in another. Run
 * it with {@code kvmdb crashtest run bank}.
 */
package org.kvmdb.crashtest.bank;
