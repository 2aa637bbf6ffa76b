import Foundation
import Subprocess
import TailraceSpelling

/// Error messages for errors whose type is unknown where they are caught.
package enum ErrorWords {
  /// The error in words for people: the project's own errors as they word themselves, those of the system and of
  /// libraries without their domains and type names.
  package static func of(_ error: any Error) -> String {
    if let decoding = error as? DecodingError { return decoding.words }
    if error is EncodingError { return "a figure is not finite, so it cannot be stored" }
    if error is CancellationError { return "it was cancelled" }
    if let subprocess = error as? SubprocessError { return lowercasedFirst(subprocess.description) }
    let type = String(reflecting: Swift.type(of: error))
    // The project's own word themselves.
    if type.lowercased().hasPrefix("tailrace") { return String(describing: error) }
    return system(error as NSError) ?? "an unexpected error (\(type))"
  }

  /// The same on one line, as the texts of a result are.
  package static func line(of error: any Error) -> String {
    of(error).split(whereSeparator: \.isNewline).joined(separator: "; ")
  }

  /// What Foundation reports of files; nil: it is about something else.
  private static func system(_ error: NSError) -> String? {
    if let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError, let words = system(underlying) {
      return words
    }
    if error.domain == NSPOSIXErrorDomain { return FileProblem.reason(Int32(error.code)) }
    guard error.domain == NSCocoaErrorDomain else { return nil }
    switch CocoaError.Code(rawValue: error.code) {
    case .fileNoSuchFile, .fileReadNoSuchFile: return FileProblem.reason(ENOENT)
    case .fileReadNoPermission, .fileWriteNoPermission: return FileProblem.reason(EACCES)
    case .fileWriteFileExists: return FileProblem.reason(EEXIST)
    case .fileWriteOutOfSpace: return FileProblem.reason(ENOSPC)
    case .fileWriteVolumeReadOnly: return FileProblem.reason(EROFS)
    default: return "the file system reports error \(error.code)"
    }
  }

  private static func lowercasedFirst(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}
