/// The retry policies of the jobs, by number.
///
/// Those of job types keep their numbers for good, as do the first ones that came with submissions: programs use few.
/// Any further one belongs to its job alone and goes with it, so that a policy of each job's own, such as the
/// `Retry-After` of a response, needs memory only while the job is remembered.
struct RetryPolicies {
  /// In place of a number: the job has one of its own.
  static let own = UInt16.max
  /// So many that came with submissions get numbers.
  static let mostSubmitted = 1_000

  private var numbered: ContiguousArray<RetryPolicy> = []
  private var numbers: [RetryPolicy: UInt16] = [:]
  private var submitted = 0
  /// By a job's place.
  private var owned: [UInt32: RetryPolicy] = [:]

  /// Policies that are kept.
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

  /// The number of a policy that came with the submission of the job in a place.
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

  /// The policy with a number, of the job in a place.
  func policy(_ number: UInt16, of slot: UInt32) -> RetryPolicy {
    number == Self.own ? ownPolicy(of: slot) : numbered[Int(number)]
  }

  /// Whether the policy with a number allows a retry; asked after each attempt, so that the policy is not copied.
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

  /// Whether any job has a policy of its own.
  @inline(__always) var hasOwned: Bool { !owned.isEmpty }

  /// The job in a place is forgotten.
  mutating func release(_ slot: UInt32) { owned[slot] = nil }
}

extension SchedulerCore {
  /// Retry policies that are kept.
  package var retryPoliciesKept: Int { retryPolicies.count }

  /// The retry policy of the job in a place.
  func retryPolicy(of slot: UInt32) -> RetryPolicy { retryPolicies.policy(jobs[slot].pointee.retryPolicy, of: slot) }

  /// Gives a slot back, with what is kept for its job elsewhere.
  @inline(__always)
  mutating func releaseSlot(_ slot: UInt32) {
    if retryPolicies.hasOwned || !parked.isEmpty { releaseKept(slot) }
    jobs.release(slot)
  }

  /// Few schedulers keep anything: the dictionaries stay out of the loop that settles jobs.
  @inline(never)
  private mutating func releaseKept(_ slot: UInt32) {
    retryPolicies.release(slot)
    parked.release(slot, of: jobs[slot].pointee.type)
  }
}
