// Atomic access to a word that somebody else owns: std::atomic_ref, or, where the standard library has none
// (libc++ before 19, which is Apple's and Zig's), the compiler's own operations. Sequentially consistent.
#pragma once

#include <atomic>

namespace ohws {

#ifdef __cpp_lib_atomic_ref

template <typename T>
using AtomicRef = std::atomic_ref<T>;

#else

template <typename T>
class AtomicRef {
 public:
  explicit AtomicRef(T& word) : word_(&word) {}

  T load() const { return __atomic_load_n(word_, __ATOMIC_SEQ_CST); }
  void store(T value) const { __atomic_store_n(word_, value, __ATOMIC_SEQ_CST); }
  T exchange(T value) const { return __atomic_exchange_n(word_, value, __ATOMIC_SEQ_CST); }

 private:
  T* word_;
};

#endif

}  // namespace ohws
