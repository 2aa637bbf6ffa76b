import TailraceCore

extension SlowJobs {
  /// Where the arrivals of slow jobs lie among those of all jobs.
  struct Arrivals {
    /// Instants of the arrivals of all jobs, ascending.
    private let all: [Int64]

    init(_ all: [Int64]) { self.all = all.sorted() }

    /// From the first arrival to the last, in nanoseconds.
    var span: Int64 { (all.last ?? 0) - (all.first ?? 0) }

    /// The few stretches in which most of some arrivals lie; empty: they are spread over the run.
    func stretches(of slow: [Int64]) -> [Stretch] {
      let slow = slow.sorted()
      guard span > 0, let first = slow.first, let last = slow.last else { return [] }
      var clusters: [ClosedRange<Int>] = []
      for index in slow.indices {
        if let open = clusters.last, slow[index] - slow[index - 1] <= span / 20 {
          clusters[clusters.count - 1] = open.lowerBound...index
        } else {
          clusters.append(index...index)
        }
      }
      let large = clusters.filter { $0.count * 10 >= slow.count }
      let covered = large.reduce(0) { $0 + $1.count }
      let length = large.reduce(0) { $0 + slow[$1.upperBound] - slow[$1.lowerBound] }
      if large.count <= 3, covered * 5 >= slow.count * 4, length <= span * 3 / 5 {
        return large.map { stretch(slow[$0.lowerBound], slow[$0.upperBound]) }
      }
      // The shortest stretch with four of five of them.
      let count = (slow.count * 4 + 4) / 5
      var best = (first, last)
      for start in 0...(slow.count - count) where slow[start + count - 1] - slow[start] < best.1 - best.0 {
        best = (slow[start], slow[start + count - 1])
      }
      return best.1 - best.0 <= span / 2 ? [stretch(best.0, best.1)] : []
    }

    private func stretch(_ from: Int64, _ to: Int64) -> Stretch {
      Stretch(from: Nanoseconds(from), to: Nanoseconds(to), isLast: (all.last ?? 0) - to <= span / 20)
    }

    /// The burst in which a stretch begins, or that it follows; nil: jobs came as evenly then as usually.
    func burst(at stretch: Stretch) -> Burst? {
      let count = min(100, max(10, all.count / 20))
      guard span > 0, all.count >= 20, let first = all.first else { return nil }
      let width = span / Int64(count) + 1
      var slots = [Int](repeating: 0, count: count)
      for instant in all { slots[Int((instant - first) / width)] += 1 }
      let usual = Double(slots.sorted()[count / 2])
      func slot(_ instant: Nanoseconds) -> Int { min(count - 1, max(0, Int((instant.rawValue - first) / width))) }
      let place = max(0, slot(stretch.from) - 1)...slot(stretch.to)
      guard let peak = place.max(by: { slots[$0] < slots[$1] }) else { return nil }
      // Five standard deviations of a Poisson process.
      guard slots[peak] >= 10, Double(slots[peak]) >= max(2 * usual, usual + 5 * (usual + 1).squareRoot()) else {
        return nil
      }
      let least = max(1.5 * usual, Double(slots[peak]) / 4)
      var (low, high) = (peak, peak)
      while low > 0, Double(slots[low - 1]) >= least { low -= 1 }
      while high + 1 < count, Double(slots[high + 1]) >= least { high += 1 }
      let mean = Double(slots[low...high].reduce(0, +)) / Double(high - low + 1)
      return Burst(
        from: Nanoseconds(first + Int64(low) * width), to: Nanoseconds(first + Int64(high + 1) * width),
        factor: usual > 0 ? mean / usual : nil)
    }
  }
}
