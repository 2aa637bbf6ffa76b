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
  @inline(__always)
  func policy(_ number: UInt16, of slot: UInt32) -> RetryPolicy {
    number == Self.own ? ownPolicy(of: slot) : numbered[Int(number)]
  }

  @inline(never)
  private func ownPolicy(of slot: UInt32) -> RetryPolicy {
    guard let policy = owned[slot] else { invariantViolated("the job in place \(slot) has lost its retry policy") }
    return policy
  }

  /// The job in a place is forgotten.
  @inline(__always)
  mutating func release(_ slot: UInt32) {
    if !owned.isEmpty { owned[slot] = nil }
  }
}

extension SchedulerCore {
  /// Retry policies that are kept.
  package var retryPoliciesKept: Int { retryPolicies.count }

  /// The retry policy of the job in a place.
  @inline(__always)
  func retryPolicy(of slot: UInt32) -> RetryPolicy { retryPolicies.policy(jobs[slot].pointee.retryPolicy, of: slot) }

  /// Gives a slot back, with what is kept for its job elsewhere.
  @inline(__always)
  mutating func releaseSlot(_ slot: UInt32) {
    retryPolicies.release(slot)
    if !parked.isEmpty { parked.release(slot, of: jobs[slot].pointee.type) }
    jobs.release(slot)
  }
}
