// A mutex, its lock, and what it guards, in words that Clang's -Wthread-safety understands (`npm run
// lint:native`): a use of guarded data without the lock is an error there. Other compilers see std::mutex.
#pragma once

#include <mutex>

#if defined(__clang__)
#define OHWS_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define OHWS_THREAD_SAFETY(attribute)
#endif

// Behind a member, a function that gives a reference, or a function: needs this mutex.
#define OHWS_GUARDED_BY(mutex) OHWS_THREAD_SAFETY(guarded_by(mutex))
#define OHWS_REQUIRES(mutex) OHWS_THREAD_SAFETY(requires_capability(mutex))
// Behind a function: who calls it has this mutex afterwards, if it returns true; or has it no more.
#define OHWS_TRY_ACQUIRE(mutex) OHWS_THREAD_SAFETY(try_acquire_capability(true, mutex))
#define OHWS_RELEASE(mutex) OHWS_THREAD_SAFETY(release_capability(mutex))

namespace ohws {

class OHWS_THREAD_SAFETY(capability("mutex")) Mutex {
 public:
  void Lock() OHWS_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  bool TryLock() OHWS_THREAD_SAFETY(try_acquire_capability(true)) { return mutex_.try_lock(); }
  // Says that the caller has it, where the analysis cannot see that.
  void AssertHeld() OHWS_THREAD_SAFETY(assert_capability()) {}
  void Unlock() OHWS_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a mutex to the end of its scope.
class OHWS_THREAD_SAFETY(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) OHWS_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() OHWS_THREAD_SAFETY(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace ohws
