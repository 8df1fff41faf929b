/** Counts of tests from vitest's exit code and its JSON report, which may be missing. */
export function countsOf(code, report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (report !== '') {
    const result = JSON.parse(report);
    counts.passed = result.numPassedTests;
    counts.failed = result.numFailedTests;
    counts.skipped = result.numPendingTests + result.numTodoTests;
  }
  // A file that does not load or an unhandled rejection fails no test, and still fails.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
