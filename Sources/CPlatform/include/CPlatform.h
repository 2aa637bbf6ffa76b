// What Swift cannot call itself on Linux: variadic system calls, and calls whose result glibc declares constant.
#ifndef CPLATFORM_H
#define CPLATFORM_H
#include <pthread.h>
#include <sys/types.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

/// The monotonic clock, in nanoseconds.
static inline int64_t cplatform_monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// The wall clock, in nanoseconds since 1970.
static inline int64_t cplatform_realtime_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
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

/// Processor time used by child processes that have ended and were waited for, and by theirs, in nanoseconds.
int64_t cplatform_children_cpu_ns(void);

/// How long threads of `cplatform_thread_start` that have ended waited for a processor while they could run, in
/// nanoseconds, all together since the process began.
int64_t cplatform_ended_run_delay_ns(void);

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

/// A mutex that spins a little before it sleeps.
typedef struct {
  pthread_mutex_t mutex;
} cplatform_lock_t;
void cplatform_lock_init(cplatform_lock_t *lock);
void cplatform_lock_destroy(cplatform_lock_t *lock);
/// Waits for some microseconds without sleeping: what is done under such a lock takes less than a sleep and a wake-up.
void cplatform_lock_acquire_slowly(cplatform_lock_t *lock);
static inline void cplatform_lock_acquire(cplatform_lock_t *lock) {
  if (pthread_mutex_trylock(&lock->mutex) != 0) cplatform_lock_acquire_slowly(lock);
}
static inline void cplatform_lock_release(cplatform_lock_t *lock) { pthread_mutex_unlock(&lock->mutex); }

/// Where one thread waits for another, on the monotonic clock.
typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  int woken;
} cplatform_parker_t;
void cplatform_parker_init(cplatform_parker_t *parker);
void cplatform_parker_destroy(cplatform_parker_t *parker);
/// Waits until woken or until the monotonic clock reads `deadline_ns` (INT64_MAX: for ever); takes the wake-up with it.
void cplatform_parker_wait(cplatform_parker_t *parker, int64_t deadline_ns);
void cplatform_parker_wake(cplatform_parker_t *parker);

/// Starts a thread that calls `body(context)`. Returns 0 on success, else errno.
int cplatform_thread_start(pthread_t *thread, void (*body)(void *), void *context);

/// Starts `count` threads that exist at the same time, and ends them. Returns 0, or the error number of the first that
/// the system refused; `started` is how many there were then.
int cplatform_threads_probe(int count, int *started);

/// Duplicates a descriptor `count` times, 64 at most, and closes the duplicates. Returns 0, or the error number of the
/// first that the system refused.
int cplatform_descriptors_probe(int descriptor, int count);

/// Raises the soft limit of open files to the hard one. Returns the soft limit of before, or 0 where it was not raised.
uint64_t cplatform_descriptors_raise(void);

/// Sets the soft limit of open files of another process. Returns 0 on success, else errno.
int cplatform_descriptors_limit(pid_t process, uint64_t soft);

/// Leaves a mark on the calling thread and returns the one that was there, null at first.
void *cplatform_thread_mark(void *mark);

/// Begins a turn on the calling thread: whatever had an earlier one has left it. Returns the place where turns of this
/// thread are counted, which is valid for ever, and sets `turn` to the count.
const void *cplatform_thread_turn(uint64_t *turn);

/// The count of the latest turn at a place. That a thread has ended counts as one.
uint64_t cplatform_turns_at(const void *place);

/// Changes how many locks the calling thread is said to hold, and returns how many those are now. Debug builds count.
int cplatform_count_locks(int change);

/// Tells the processor that this is a waiting loop.
static inline void cplatform_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
/// Signals have numbers below this.
#define CPLATFORM_SIGNALS 65

/// Call once, before any signal is caught.
void cplatform_signals_init(void);
/// From now on the signal is counted, instead of its usual action, which is put into `before`. Returns 0 on success.
int cplatform_signal_catch(int number, struct sigaction *before);
/// Gives the signal an earlier action back. Returns 0 on success.
int cplatform_signal_restore(int number, const struct sigaction *before);
/// How often the signal came since the last call.
unsigned cplatform_signal_take(int number);
/// Blocks the calling thread until any caught signal comes.
void cplatform_signals_wait(void);

/// The variable in the environment of every child that says which processes it descends from.
#define CPLATFORM_MARK "TAILRACE_FAMILY"

/// Gets ready for starting children: starts a process, the keeper, that kills what this one has started when it ends in
/// whatever way. Does so once. Returns 0, or why there is no keeper, as errno has it.
int cplatform_children_prepare(void);
/// The beginning of the mark's value for children: the marks of the processes that this one descends from, and its own.
/// A family's number and a colon complete it. Valid after `cplatform_children_prepare`.
const char *cplatform_children_mark(void);
/// The keeper's process; 0 where there is none.
pid_t cplatform_children_keeper(void);

/// The kind of file system that a file is on, as linux/magic.h numbers them; 0: not known.
uint32_t cplatform_file_system(int file);

/// Remembers a process group that this process leads; returns its place, or -1 where there is no room.
int cplatform_group_add(pid_t group);
/// Forgets the group in a place.
void cplatform_group_remove(int place);

/// Kills every process that carries the mark of one of this process's families, and what descends from those, until
/// none is left or the time is over. Processes of other users cannot be found. Returns how many were killed.
int cplatform_family_kill(unsigned family, int64_t limit_ns);
/// Kills every remembered group and all families. May be called in a signal handler.
int cplatform_children_kill(int64_t limit_ns);
/// Whether a child has ended; it is still to be waited for.
int cplatform_child_has_ended(pid_t child);

/// When a process was started, in clock ticks since the system was; 0 where there is no such process.
uint64_t cplatform_process_start(pid_t process);
/// A number of the namespace in which this process's number is its own.
uint64_t cplatform_process_namespace(void);

/// A process that carries a mark.
typedef struct {
  pid_t process;
  pid_t owner;
  uint64_t owner_start;
} cplatform_marked_t;
/// Finds processes of this user that carry the mark of a process which has ended. Returns how many are in `found`.
int cplatform_find_orphans(cplatform_marked_t *found, int room);

#endif
