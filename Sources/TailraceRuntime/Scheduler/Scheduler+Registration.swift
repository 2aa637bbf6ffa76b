import Synchronization
import TailraceCore

extension Scheduler {
  // MARK: - Handlers

  /// Registers an async handler for the job type of a configuration.
  ///
  /// Jobs of the type that were submitted earlier continue now, if
  /// ``/TailraceCore/SchedulerConfiguration/unknownTypes`` is `park`.
  ///
  /// - Parameters:
  ///   - type: name, priority, pool, timeout, retries and limits.
  ///   - validate: checks each job's payload at submission, on the submitter's task or thread. If it throws, the job is
  ///     dead-lettered immediately as ``/TailraceCore/SettlementCause/invalid``, without an attempt.
  ///   - recover: may supply a result when the last attempt of a job has failed; see ``JobRecovery``.
  ///   - handler: runs each attempt.
  /// - Throws: ``SchedulerError/duplicateJobType(_:)``; ``/TailraceCore/InvalidValues`` with every setting that is out
  ///   of range; ``/TailraceCore/LimitReached`` if 64,000 types exist; ``SchedulerError/refused(_:)`` after a shutdown.
  @discardableResult
  public func register(
    _ type: JobTypeConfiguration, validate: JobValidation? = nil, recover: JobRecovery? = nil,
    handler: @escaping @Sendable (JobContext) async throws -> (any Sendable)?
  ) throws -> JobTypeID {
    try register(
      type, RegisteredHandler(handler: .async(handler), recover: recover.map { .async($0) }), validate: validate)
  }

  /// Registers an async handler under a name, with the scheduler's defaults.
  @discardableResult
  public func register(
    _ name: String, validate: JobValidation? = nil, recover: JobRecovery? = nil,
    handler: @escaping @Sendable (JobContext) async throws -> (any Sendable)?
  ) throws -> JobTypeID {
    try register(JobTypeConfiguration(name: name), validate: validate, recover: recover, handler: handler)
  }

  /// Registers a blocking handler. It always runs on the thread pool, whatever the configuration.
  ///
  /// Otherwise like the async variant.
  @discardableResult
  public func registerBlocking(
    _ type: JobTypeConfiguration, validate: JobValidation? = nil, recover: BlockingJobRecovery? = nil,
    handler: @escaping @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> JobTypeID {
    var type = type
    type.pool = .thread
    return try register(
      type, RegisteredHandler(handler: .blocking(handler), recover: recover.map { .blocking($0) }), validate: validate)
  }

  /// Registers a blocking handler under a name, with the scheduler's defaults. It runs on the thread pool.
  @discardableResult
  public func registerBlocking(
    _ name: String, validate: JobValidation? = nil, recover: BlockingJobRecovery? = nil,
    handler: @escaping @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> JobTypeID {
    try registerBlocking(JobTypeConfiguration(name: name), validate: validate, recover: recover, handler: handler)
  }

  /// Registers the async handler of a typed job.
  ///
  /// - Parameters:
  ///   - type: the parameters' type.
  ///   - recover: may supply a result when the last attempt of a job has failed; see ``JobRecovery``.
  ///   - handler: runs each attempt.
  /// - Throws: ``SchedulerError/duplicateJobType(_:)`` if another handler has the name.
  @discardableResult
  public func register<Parameters: Job>(
    _ type: Parameters.Type,
    recover: (
      @Sendable (_ job: Parameters, _ context: JobContext, _ error: any Error) async throws -> Recovery<
        Parameters.Output
      >
    )? = nil,
    handler: @escaping @Sendable (_ job: Parameters, _ context: JobContext) async throws -> Parameters.Output
  ) throws -> JobTypeID {
    try register(
      type.namedConfiguration,
      RegisteredHandler(
        handler: .async { context in
          Parameters.kept(try await handler(try Parameters.parameters(in: context), context))
        },
        recover: recover.map { recover in
          .async { context, error in
            Parameters.kept(try await recover(try Parameters.parameters(in: context), context, error))
          }
        }), parameters: type, validate: Parameters.validate)
  }

  /// Registers the blocking handler of a typed job. It always runs on the thread pool.
  ///
  /// - Parameters:
  ///   - type: the parameters' type.
  ///   - recover: may supply a result when the last attempt of a job has failed; see ``JobRecovery``.
  ///   - handler: runs each attempt.
  /// - Throws: ``SchedulerError/duplicateJobType(_:)`` if another handler has the name.
  @discardableResult
  public func registerBlocking<Parameters: Job>(
    _ type: Parameters.Type,
    recover: (
      @Sendable (_ job: Parameters, _ context: JobContext, _ error: any Error) throws -> Recovery<Parameters.Output>
    )? = nil,
    handler: @escaping @Sendable (_ job: Parameters, _ context: JobContext) throws -> Parameters.Output
  ) throws -> JobTypeID {
    var configuration = type.namedConfiguration
    configuration.pool = .thread
    return try register(
      configuration,
      RegisteredHandler(
        handler: .blocking { context in
          Parameters.kept(try handler(try Parameters.parameters(in: context), context))
        },
        recover: recover.map { recover in
          .blocking { context, error in
            Parameters.kept(try recover(try Parameters.parameters(in: context), context, error))
          }
        }), parameters: type, validate: Parameters.validate)
  }

  private func register(
    _ type: JobTypeConfiguration, _ handler: RegisteredHandler, parameters: (any Job.Type)? = nil,
    validate: JobValidation?
  ) throws -> JobTypeID {
    // Set first, so that later submissions validate.
    if validate != nil { validates.store(true, ordering: .releasing) }
    var looked = ParkedInputs()
    while true {
      if withState({ state in state.types.parked(named: type.name) != nil }) { announceType(type.name) }
      let id = try report { state, now, outbox throws -> JobTypeID? in
        guard let parked = state.types.parked(named: type.name), !state.hasReleasedUserCode else {
          return try state.add(type, handler, parameters, validate, at: now, into: &outbox)
        }
        // Payloads are validated outside the lock, and more jobs may arrive meanwhile.
        if validate != nil, looked.findMore(of: parked, in: &state) { return nil }
        try type.validate()
        state.reject(looked, at: now, into: &outbox)
        try state.open(parked, as: type, handler, parameters, validate, at: now, into: &outbox)
        return parked
      }
      if let id {
        announceType(type.name)
        return id
      }
      looked.look(validate)
    }
  }
}

extension Job {
  fileprivate static func kept(_ recovery: Recovery<Output>) -> Recovery<(any Sendable)?> {
    switch recovery {
    case .complete(let output): .complete(kept(output))
    case .giveUp: .giveUp
    }
  }
}

extension DriverState {
  fileprivate mutating func add(
    _ type: JobTypeConfiguration, _ handler: RegisteredHandler, _ parameters: (any Job.Type)?,
    _ validate: JobValidation?, at now: Instant, into outbox: inout Outbox
  ) throws -> JobTypeID {
    guard !hasReleasedUserCode else { throw SchedulerError.refused(.stopping) }
    guard types.numbers[type.name] == nil else { throw SchedulerError.duplicateJobType(type.name) }
    let id: JobTypeID
    do {
      id = try core.register(type)
      types.add(type.name, id, handler)
      types[id].parameters = parameters
      types[id].validate = validate
    } catch let limit as LimitReached {
      // Reuse the number of a parked type that has no jobs left.
      guard let used = freedTypes.take() else { throw limit }
      id = used
      types.reuse(id, for: type.name)
      try open(id, as: type, handler, parameters, validate, at: now, into: &outbox)
    }
    return id
  }

  /// Opens a parked type; its jobs continue.
  fileprivate mutating func open(
    _ id: JobTypeID, as type: JobTypeConfiguration, _ handler: RegisteredHandler, _ parameters: (any Job.Type)?,
    _ validate: JobValidation?, at now: Instant, into outbox: inout Outbox
  ) throws {
    try core.typeOpened(id, as: type, at: now, into: &outbox)
    types.open(id, with: handler)
    types[id].parameters = parameters
    types[id].validate = validate
  }
}
