// When which connection wants to be looked at again: one moment each, sorted. Engine thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <set>
#include <utility>

namespace ohws {

class Connection;

// Milliseconds of a monotonic clock.
inline uint64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

// Microseconds of the same clock, which is Node's `process.hrtime` too.
inline uint64_t NowUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

class Deadlines {
 public:
  void Add(uint64_t at_ms, Connection* connection) { due_.emplace(at_ms, connection); }
  void Remove(uint64_t at_ms, Connection* connection) { due_.erase({at_ms, connection}); }

  std::optional<uint64_t> Next() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
  }
  // Takes the first connection whose moment has come; nullptr if there is none.
  Connection* TakeDue(uint64_t now_ms) {
    if (due_.empty() || due_.begin()->first > now_ms) return nullptr;
    Connection* connection = due_.begin()->second;
    due_.erase(due_.begin());
    return connection;
  }

 private:
  std::set<std::pair<uint64_t, Connection*>> due_;
};

}  // namespace ohws
