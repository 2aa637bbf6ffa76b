// What Swift cannot call itself on Linux: variadic system calls, and calls whose result glibc declares constant.
#ifndef CPLATFORM_H
#define CPLATFORM_H
#include <stdint.h>
#include <time.h>

/// The monotonic clock, in nanoseconds.
static inline int64_t cplatform_monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Processor time used by the calling thread, in nanoseconds.
static inline int64_t cplatform_thread_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Processor time used by the whole process, in nanoseconds.
static inline int64_t cplatform_process_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Sleeps until the monotonic clock reads `deadline_ns`. Returns 0, or EINTR when a signal ended the sleep.
int cplatform_sleep_until_ns(int64_t deadline_ns);

/// Sets the calling thread's timer slack, in nanoseconds. Returns 0 on success.
int cplatform_set_timer_slack_ns(unsigned long slack_ns);

/// Asks for real-time scheduling (SCHED_FIFO, lowest priority) of the calling thread. Returns 0 on success, else errno.
int cplatform_set_fifo(void);

/// The kernel's id of the calling thread.
int cplatform_thread_id(void);

/// Peak resident memory of this process so far, in bytes.
int64_t cplatform_peak_resident_bytes(void);
#endif
