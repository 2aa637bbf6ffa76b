/// A file that a scenario names, and what may be done with it.
///
/// A stranger may have written the scenario, and the file that it names may be a secret of the person who runs it. So
/// only regular files are read, and of files outside the scenario's folder nothing is shown.
package struct NamedFile: Sendable {
  /// Who named the file.
  package enum Origin: Sendable {
    /// The scenario, or an override of it.
    case scenario
    /// The user, on the command line.
    case user
  }

  /// Beside the scenario, unless it is absolute.
  package let path: String
  package let kind: InputFile.Kind
  /// Whether a message may show what the file holds.
  package let isShown: Bool

  /// - Parameters:
  ///   - name: as it is written.
  ///   - file: the scenario that names it.
  package init(_ name: String, beside file: String, by origin: Origin) {
    path = Self.path(of: name, beside: file)
    kind = origin == .user ? .any : .regular
    isShown = origin == .user || Self.isInside(path, folderOf: file)
  }

  private static func path(of name: String, beside file: String) -> String {
    if name.hasPrefix("/") { return name }
    guard let slash = file.lastIndex(of: "/") else { return name }
    return file[...slash] + name
  }

  /// Whether a file really is in the folder of another, or below it; hidden files, such as `.git/config`, are not.
  private static func isInside(_ path: String, folderOf file: String) -> Bool {
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? "."
    guard let place = InputFile.resolved(path), var root = InputFile.resolved(folder) else { return false }
    if !root.hasSuffix("/") { root += "/" }
    guard place.hasPrefix(root) else { return false }
    return !place.dropFirst(root.count).split(separator: "/").contains { $0.hasPrefix(".") }
  }

  /// A problem that is safe to print: for a confidential file, only the location.
  package func told(_ problem: TextProblem, of name: String) -> String {
    let name = name.prefix(200)
    if problem.line == 0 { return "\(name): \(problem.message)" }
    if isShown { return "\(name):\(problem.line): \(problem.message)" }
    return "\(name):\(problem.line):\(max(1, problem.column)): what stands here cannot be used; the file is outside "
      + "the scenario's folder, so its text is not shown: copy it into the folder to see more"
  }
}
