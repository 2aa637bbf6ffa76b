/// A set of job numbers that counts duplicate insertions.
///
/// It stores one bit per number in pages of 4096, so numbers may be dense (a tape's) or dense within distant ranges
/// (one range per closed-loop client).
struct JobSet: Sendable {
  private static let pageBits: UInt64 = 12
  private static let pageWords = 64

  /// The index of each page's words in ``words``. Only looked up, or iterated for order-independent sums.
  private var pages: [UInt64: Int] = [:]
  private var words: [UInt64] = []
  private var lastPage = UInt64.max
  private var lastStart = 0
  /// The number of distinct numbers.
  private(set) var count = 0
  /// The number of insertions of numbers that were already in the set.
  private(set) var duplicates = 0

  /// Adds a number.
  mutating func insert(_ job: UInt64) {
    let start = start(of: job >> Self.pageBits)
    let index = start + Int(job >> 6 & 63)
    let bit: UInt64 = 1 << (job & 63)
    if words[index] & bit == 0 {
      words[index] |= bit
      count += 1
    } else {
      duplicates += 1
    }
  }

  private mutating func start(of page: UInt64) -> Int {
    if page == lastPage { return lastStart }
    let start: Int
    if let known = pages[page] {
      start = known
    } else {
      start = words.count
      pages[page] = start
      words.append(contentsOf: repeatElement(0, count: Self.pageWords))
    }
    lastPage = page
    lastStart = start
    return start
  }

  /// Adds all numbers of another set; numbers in both count as duplicates.
  mutating func formUnion(_ other: JobSet) {
    duplicates += other.duplicates
    for (page, theirs) in other.pages {
      let ours = start(of: page)
      for offset in 0..<Self.pageWords {
        let word = other.words[theirs + offset]
        duplicates += (words[ours + offset] & word).nonzeroBitCount
        count += (word & ~words[ours + offset]).nonzeroBitCount
        words[ours + offset] |= word
      }
    }
  }
}
