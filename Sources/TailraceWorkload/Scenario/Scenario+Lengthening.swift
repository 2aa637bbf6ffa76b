import TailraceCore

extension Scenario {
  /// The scenario extended to `length` with the same load; streams with a limited number of arrivals get proportionally
  /// more. At least a fifth is warm-up, because a run begins with an empty queue.
  ///
  /// - Returns: nil if the rate changes by design, because a longer run would be a different load.
  package func lengthened(to length: Nanoseconds) -> Scenario? {
    guard hasSteadyRate, let own = arrivalLength, own > .zero, length >= own, length <= .longest
    else { return nil }
    let factor = length.seconds / own.seconds
    var longer = self
    longer.duration = length
    longer.warmup = max(warmup, length.scaled(by: 0.2))
    longer.streams = streams.map { stream in
      var stream = stream
      if stream.duration != nil { stream.duration = length - stream.start }
      stream.count = stream.count.map { Int((Double($0) * factor).rounded(.up)) }
      return stream
    }
    return longer
  }
}
