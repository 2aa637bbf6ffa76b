import ArgumentParser

/// What is said to a user who asked for something that cannot be done, and the exit status that goes with it.
enum Refusal {
  /// Wrong usage or a bad file, from `sysexits.h`.
  static let status: Int32 = 64

  /// Says why on standard error, a line each; throw what it returns.
  static func usage(_ lines: [String]) -> ExitCode {
    for line in lines { Terminal.error.write(line + "\n") }
    return ExitCode(status)
  }

  /// Says one thing, after the word `Error:`.
  static func usage(_ line: String) -> ExitCode { usage(["Error: \(line)"]) }
}
