/**
 * {@code kvmdb crashtest}: runs the campaigns that are on the class path and makes one page of what they found, as text and
 * as HTML. What is proven, and how, is the matter of the campaigns.
 */
package org.kvmdb.tools.crashtest;
