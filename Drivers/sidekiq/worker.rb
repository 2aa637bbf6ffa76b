# frozen_string_literal: true

# What Sidekiq's processes load, and the driver to submit jobs.

require "sidekiq"
require_relative "../ruby/tailrace_driver"

# Debian's client library for Redis is newer than its Sidekiq, and would complain of every command.
Redis.silence_deprecations = true

# Tells a job which attempt it is. Sidekiq counts retries from 0, starting with the first failure.
class AttemptCounter
  def call(job, payload, _queue)
    job.attempt = payload["retry_count"] ? payload["retry_count"] + 2 : 1
    yield
  end
end

class AttemptJob
  include Sidekiq::Worker

  attr_accessor :attempt

  # Sidekiq accepts whole seconds and takes 0 for its default of at least 15 s.
  sidekiq_retry_in { |_count, failure| [failure.retry_delay.ceil, 1].max }

  def perform(*plan)
    Tailrace::Work.perform(plan, attempt)
  rescue Tailrace::Work::FailedPermanently
    # Sidekiq 6.4 has no error that forbids retries. A job that must not be tried again ends without one.
  end
end

Sidekiq.configure_server do |config|
  # Two lines for each job would hide the last words of a process that fails.
  config.logger.level = Logger::WARN
  config.server_middleware { |chain| chain.add AttemptCounter }
  Tailrace::Work.prepare(config.options[:concurrency])
end
