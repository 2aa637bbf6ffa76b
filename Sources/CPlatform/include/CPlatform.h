// Functions that Swift cannot call directly on Linux: variadic system calls, and macros with non-constant results.
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

/// CPU time used by the calling thread, in nanoseconds.
static inline int64_t cplatform_thread_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// CPU time used by the whole process, in nanoseconds.
static inline int64_t cplatform_process_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// CPU time used by child processes that have ended and were waited for, and by their children, in nanoseconds.
int64_t cplatform_children_cpu_ns(void);

/// The total time that ended threads of `cplatform_thread_start` waited for a CPU while runnable, in
/// nanoseconds, since the start of the process.
int64_t cplatform_ended_run_delay_ns(void);

/// Sleeps until the monotonic clock reads `deadline_ns`. Returns 0, or EINTR when a signal ended the sleep.
int cplatform_sleep_until_ns(int64_t deadline_ns);

/// Sets the calling thread's timer slack, in nanoseconds. Returns 0 on success.
int cplatform_set_timer_slack_ns(unsigned long slack_ns);

/// Requests real-time scheduling (SCHED_FIFO, lowest priority) for the calling thread. Returns 0 on success, else
/// errno.
int cplatform_set_fifo(void);

/// The kernel's id of the calling thread.
int cplatform_thread_id(void);

/// Peak resident memory of this process so far, in bytes.
int64_t cplatform_peak_resident_bytes(void);

/// A mutex that spins briefly before it sleeps.
typedef struct {
  pthread_mutex_t mutex;
} cplatform_lock_t;
void cplatform_lock_init(cplatform_lock_t *lock);
void cplatform_lock_destroy(cplatform_lock_t *lock);
/// Spins for some microseconds: critical sections under this lock are shorter than a sleep and a wake-up.
void cplatform_lock_acquire_slowly(cplatform_lock_t *lock);
static inline void cplatform_lock_acquire(cplatform_lock_t *lock) {
  if (pthread_mutex_trylock(&lock->mutex) != 0) cplatform_lock_acquire_slowly(lock);
}
static inline void cplatform_lock_release(cplatform_lock_t *lock) { pthread_mutex_unlock(&lock->mutex); }

/// Lets one thread wait for another, on the monotonic clock.
typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  int woken;
} cplatform_parker_t;
void cplatform_parker_init(cplatform_parker_t *parker);
void cplatform_parker_destroy(cplatform_parker_t *parker);
/// Waits until woken or until the monotonic clock reads `deadline_ns` (INT64_MAX: no limit); consumes the wake-up.
void cplatform_parker_wait(cplatform_parker_t *parker, int64_t deadline_ns);
void cplatform_parker_wake(cplatform_parker_t *parker);

/// Starts a thread that calls `body(context)`. Returns 0 on success, else errno.
int cplatform_thread_start(pthread_t *thread, void (*body)(void *), void *context);

/// Starts `count` threads that exist at the same time, and ends them. Returns 0, or the error number of the first
/// refused thread; `started` is then the number of threads started before it.
int cplatform_threads_probe(int count, int *started);

/// Duplicates a descriptor `count` times, at most 64, and closes the duplicates. Returns 0, or the error number of the
/// first failure.
int cplatform_descriptors_probe(int descriptor, int count);

/// Raises the soft limit of open files to the hard limit. Returns the previous soft limit, or 0 if it was not raised.
uint64_t cplatform_descriptors_raise(void);

/// Sets the soft limit of open files of another process. Returns 0 on success, else errno.
int cplatform_descriptors_limit(pid_t process, uint64_t soft);

/// Sets a mark on the calling thread and returns the previous one, initially null.
void *cplatform_thread_mark(void *mark);

/// Begins a turn on the calling thread, which ends earlier turns. Returns the permanently valid address of this
/// thread's turn counter, and sets `turn` to its value.
const void *cplatform_thread_turn(uint64_t *turn);

/// The value of a turn counter. The end of the thread counts as a turn.
uint64_t cplatform_turns_at(const void *place);

/// Changes the number of locks held by the calling thread, and returns it. Used by debug builds.
int cplatform_count_locks(int change);

/// Executes the CPU's spin-wait hint.
static inline void cplatform_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
/// Signals have numbers below this.
#define CPLATFORM_SIGNALS 65

/// Call once, before catching any signal.
void cplatform_signals_init(void);
/// Counts the signal instead of performing its action, which is stored in `before`. Returns 0 on success.
int cplatform_signal_catch(int number, struct sigaction *before);
/// Restores an earlier action of the signal. Returns 0 on success.
int cplatform_signal_restore(int number, const struct sigaction *before);
/// The number of signals received since the last call.
unsigned cplatform_signal_take(int number);
/// Blocks the calling thread until a caught signal arrives.
void cplatform_signals_wait(void);

/// The environment variable of every child that identifies the processes it descends from.
#define CPLATFORM_MARK "TAILRACE_FAMILY"

/// Prepares for starting children: starts the keeper, a process that kills this one's children when it ends in any
/// way. Has an effect once. Returns 0, or the errno that prevented the keeper.
int cplatform_children_prepare(void);
/// The beginning of the mark's value for children: the marks of this process's ancestors and its own. A family's
/// number and a colon complete it. Valid after `cplatform_children_prepare`.
const char *cplatform_children_mark(void);
/// Call this before a child starts, and `cplatform_child_started` when it has started and its group is added, or has
/// failed to start. Returns 0, or ECANCELED if children may no longer start.
int cplatform_child_begin(void);
void cplatform_child_started(void);
/// Lets no further child start: the process is about to end. `cplatform_children_kill` then waits for those that are
/// starting. Async-signal-safe.
void cplatform_children_close(void);

/// Makes orphans of this process's descendants its children, so that they are found although they have cleared their
/// environment. For a program, not for a library: it changes what its process waits for.
void cplatform_children_adopt(void);
/// Removes adopted children that have ended from the process table. No child may be starting meanwhile; those that have
/// started must be in an added group.
void cplatform_children_reap(void);
/// The process of the keeper; 0: none.
pid_t cplatform_children_keeper(void);

/// The kind of file system of a file, as numbered in linux/magic.h; 0: not known.
uint32_t cplatform_file_system(int file);

/// Adds a process group that this process leads; returns its place, or -1 if there is no room.
int cplatform_group_add(pid_t group);
/// Removes the group in a place.
void cplatform_group_remove(int place);

/// Kills every process with the mark of one of this process's families, and their descendants, until none is left or
/// the time is over. Processes of other users cannot be found. Returns how many were killed.
int cplatform_family_kill(unsigned family, int64_t limit_ns);
/// Kills all added groups, all families, and what was adopted. Async-signal-safe.
int cplatform_children_kill(int64_t limit_ns);

/// Opens a pipe whose ends children do not inherit, and lets it hold `size` bytes if the system allows it. `ends[0]` is
/// read from, `ends[1]` is written to. Returns 0, or -1 with `errno`.
int cplatform_pipe(int *ends, int size);

/// Opens a file in memory that children inherit only as a standard stream. Returns its descriptor, or -1 with `errno`.
int cplatform_memory_file(const char *name);

/// The start time of a process in clock ticks since boot; 0: there is no such process.
uint64_t cplatform_process_start(pid_t process);
/// The number of the PID namespace of this process.
uint64_t cplatform_process_namespace(void);

/// A process with a mark.
typedef struct {
  pid_t process;
  pid_t owner;
  uint64_t owner_start;
} cplatform_marked_t;
/// Finds processes of this user with the mark of a process that has ended. Returns how many are in `found`.
int cplatform_find_orphans(cplatform_marked_t *found, int room);

#endif
