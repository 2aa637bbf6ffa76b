/// The retry policies of jobs, by number.
///
/// Policies of job types, and the first ones that come with submissions, keep their numbers permanently: most programs
/// use few. Any further one belongs to a single job and is released with it, so that per-job policies, such as a
/// response's `Retry-After`, use memory only while the job is kept.
struct RetryPolicies {
  /// A sentinel number: the job has its own policy.
  static let own = UInt16.max
  /// Maximum policies from submissions that get numbers.
  static let mostSubmitted = 1_000

  private var numbered: ContiguousArray<RetryPolicy> = []
  private var numbers: [RetryPolicy: UInt16] = [:]
  private var submitted = 0
  /// By job slot.
  private var owned: [UInt32: RetryPolicy] = [:]

  /// Number of stored policies.
  var count: Int { numbered.count + owned.count }

  /// The number of a job type's policy.
  mutating func number(of policy: RetryPolicy) -> UInt16 {
    if let known = numbers[policy] { return known }
    guard numbered.count < Int(Self.own) else {
      invariantViolated("\(numbered.count) retry policies of job types, which are at most \(SchedulerCore.mostTypes)")
    }
    let number = UInt16(numbered.count)
    numbered.append(policy)
    numbers[policy] = number
    return number
  }

  /// The number of a policy from the submission of the job in a slot.
  @inline(never)
  mutating func number(of policy: RetryPolicy, submittedWith slot: UInt32) -> UInt16 {
    if let known = numbers[policy] { return known }
    if submitted < Self.mostSubmitted {
      submitted += 1
      return number(of: policy)
    }
    owned[slot] = policy
    return Self.own
  }

  /// The policy with a number, for the job in a slot.
  func policy(_ number: UInt16, of slot: UInt32) -> RetryPolicy {
    number == Self.own ? ownPolicy(of: slot) : numbered[Int(number)]
  }

  /// Whether the policy with a number allows a retry. Called after each attempt, so it avoids copying the policy.
  @inline(__always)
  func allowsRetry(_ number: UInt16, of slot: UInt32, after attempt: Int, crashes: Int) -> Bool {
    if _fastPath(number != Self.own) { return numbered[Int(number)].allowsRetry(after: attempt, crashes: crashes) }
    return ownPolicy(of: slot).allowsRetry(after: attempt, crashes: crashes)
  }

  @inline(never)
  private func ownPolicy(of slot: UInt32) -> RetryPolicy {
    guard let policy = owned[slot] else { invariantViolated("the job in place \(slot) has lost its retry policy") }
    return policy
  }

  /// Whether any job has its own policy.
  @inline(__always) var hasOwned: Bool { !owned.isEmpty }

  /// Releases the policy of a forgotten job.
  mutating func release(_ slot: UInt32) { owned[slot] = nil }
}

extension SchedulerCore {
  /// Number of stored retry policies.
  package var retryPoliciesKept: Int { retryPolicies.count }

  /// The retry policy of the job in a slot.
  func retryPolicy(of slot: UInt32) -> RetryPolicy { retryPolicies.policy(jobs[slot].pointee.retryPolicy, of: slot) }

  /// Releases a slot and the data stored for its job elsewhere.
  @inline(__always)
  mutating func releaseSlot(_ slot: UInt32) {
    if retryPolicies.hasOwned || !parked.isEmpty { releaseKept(slot) }
    jobs.release(slot)
  }

  /// Rarely needed, so the dictionaries stay out of the settlement loop.
  @inline(never)
  private mutating func releaseKept(_ slot: UInt32) {
    retryPolicies.release(slot)
    parked.release(slot, of: jobs[slot].pointee.type)
  }
}
