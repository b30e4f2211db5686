package org.kvmdb.tools.crashtest;

/**
 * From one case to the power of ten that none exceeds, by the logarithm: hundreds stand beside millions.
 *
 * @param decades how many
 */
record LogScale(int decades) {

    static LogScale of(CrashtestReport report) {
        long most = report.withCases().stream()
                .flatMap(campaign -> campaign.cases().values().stream())
                .mapToLong(Long::longValue)
                .max()
                .orElse(1);
        int decades = 1;
        while (Math.pow(10, decades) < most) {
            decades++;
        }
        return new LogScale(decades);
    }

    long top() {
        return Math.round(Math.pow(10, decades));
    }

    /** From 0 for none to 1; a single case is seen, too. */
    double share(long count) {
        return count == 0 ? 0 : (1 + Math.log10(count)) / (1 + decades);
    }
}
