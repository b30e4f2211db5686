package org.kvmdb.tools.bench;

import java.util.List;

/** One benchmark: a few figures that belong together. */
interface Bench {

    List<Figure> run(BenchContext context) throws Exception;
}
