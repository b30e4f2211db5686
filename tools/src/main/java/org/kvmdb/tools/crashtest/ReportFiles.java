package org.kvmdb.tools.crashtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * Where a report is written.
 *
 * @param html null when it is not wanted
 */
record ReportFiles(Path text, Path html) {

    static ReportFiles of(Path file, CommandLine commandLine) {
        String name = file.getFileName().toString();
        if (name.endsWith(".txt")) {
            return new ReportFiles(file, null);
        }
        if (name.endsWith(".html")) {
            return new ReportFiles(file.resolveSibling(name.replaceFirst("html$", "txt")), file);
        }
        throw new ParameterException(commandLine, "--report must be a file that ends in .html or .txt: " + file);
    }

    void write(CrashtestReport report) throws IOException {
        Path directory = text.toAbsolutePath().getParent();
        Files.createDirectories(directory);
        Files.writeString(text, new TextReport(report).text());
        if (html != null) {
            Files.writeString(html, new HtmlReport(report).page());
        }
    }
}
