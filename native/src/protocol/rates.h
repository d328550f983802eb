// How much a peer may send a second: buckets that fill at a rate and hold one second of it, for one
// connection and, shared by several, for one address. Time is a parameter: milliseconds of any monotonic
// clock. One thread, but for the meters of addresses, whose connections may be on several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wire/mutex.h"

namespace ohws {

// Holds as many tokens as come in a second. What is taken beyond is owed.
class TokenBucket {
 public:
  // Full. UINT64_MAX: never empty.
  TokenBucket(uint64_t per_second, uint64_t now_ms)
      : per_second_(static_cast<double>(per_second)), endless_(per_second == UINT64_MAX), at_ms_(now_ms) {
    tokens_ = per_second_;
  }

  bool HasOne(uint64_t now_ms);
  void Take(uint64_t count) { tokens_ -= static_cast<double>(count); }
  // When it will have one; `now_ms` if it has.
  uint64_t HasOneAt(uint64_t now_ms);
  bool IsFull(uint64_t now_ms);

 private:
  void Refill(uint64_t now_ms);

  double per_second_;
  bool endless_;
  uint64_t at_ms_;
  double tokens_ = 0;
};

struct RateLimit {
  uint64_t messages_per_second = UINT64_MAX;
  uint64_t bytes_per_second = UINT64_MAX;

  bool any() const { return messages_per_second != UINT64_MAX || bytes_per_second != UINT64_MAX; }
};

// What one connection, or one address, may send.
class RateMeter {
 public:
  RateMeter(const RateLimit& limit, uint64_t now_ms)
      : messages_(limit.messages_per_second, now_ms), bytes_(limit.bytes_per_second, now_ms) {}

  // May this piece be taken: the first of a message if there is one to be had, and any if bytes are.
  bool Allows(bool first, uint64_t now_ms) { return ReadyAt(first, now_ms) <= now_ms; }
  void Take(bool first, size_t bytes);
  uint64_t ReadyAt(bool first, uint64_t now_ms);
  bool IsFull(uint64_t now_ms) { return messages_.IsFull(now_ms) && bytes_.IsFull(now_ms); }

 private:
  TokenBucket messages_;
  TokenBucket bytes_;
};

// What one address may send, over all of its connections. Any thread.
class AddressMeter {
 public:
  AddressMeter(const RateLimit& limit, uint64_t now_ms) : meter_(limit, now_ms) {}

  // Takes this piece if it may be taken; nobody else does in between.
  bool TryTake(bool first, size_t bytes, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    if (!meter_.Allows(first, now_ms)) return false;
    meter_.Take(first, bytes);
    return true;
  }
  void Take(bool first, size_t bytes) {
    const MutexLock lock(mutex_);
    meter_.Take(first, bytes);
  }
  uint64_t ReadyAt(bool first, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    return meter_.ReadyAt(first, now_ms);
  }
  bool IsFull(uint64_t now_ms) {
    const MutexLock lock(mutex_);
    return meter_.IsFull(now_ms);
  }

 private:
  Mutex mutex_;
  RateMeter meter_ OHWS_GUARDED_BY(mutex_);
};

// The meters of addresses. One is kept until its buckets are full again, so that nobody gains by coming anew.
class AddressRates {
 public:
  static constexpr size_t kMaxForgotten = 65'536;  // addresses without a connection

  explicit AddressRates(const RateLimit& limit) : limit_(limit) {}

  // Null without a limit.
  std::shared_ptr<AddressMeter> Of(std::string_view ip, uint64_t now_ms);
  size_t size() const { return meters_.size(); }

 private:
  void Sweep(uint64_t now_ms);

  const RateLimit limit_;
  std::unordered_map<std::string, std::shared_ptr<AddressMeter>> meters_;
  size_t sweep_at_ = 1024;
};

// What becomes of messages above a rate.
enum class RatePolicy : uint8_t {
  kDelay,   // they are not read before it is their turn
  kRefuse,  // they are read and thrown away
  kClose,   // they end the connection
};

}  // namespace ohws
