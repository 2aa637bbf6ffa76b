import ArgumentParser

/// Error messages for requests that cannot be carried out, and their exit status.
enum Refusal {
  /// Wrong usage or a bad file, from `sysexits.h`.
  static let status: Int32 = 64

  /// Prints the reasons to standard error, one per line. Throw the returned exit code.
  static func usage(_ lines: [String]) -> ExitCode {
    for line in lines { Terminal.error.write(line + "\n") }
    return ExitCode(status)
  }

  /// Prints one reason, prefixed with `Error:`.
  static func usage(_ line: String) -> ExitCode { usage(["Error: \(line)"]) }
}
