// The load: opens the connections, keeps the messages going round, measures, and ends in order.
// One thread, one epoll set.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "connection.h"
#include "histogram.h"
#include "options.h"
#include "payload.h"

namespace ohws::bench {

struct Result {
  uint64_t messages = 0;  // echoed within the measured time
  uint64_t verified = 0;  // all of them, warm-up and end included
  double seconds = 0;
  double connect_seconds = 0;  // from the first connect to the last upgrade
  double cpu_user_us = 0;      // of this process, within the measured time
  double cpu_system_us = 0;
  Histogram latency_ns;  // from handing a message over for sending to its verified echo
};

class Load {
 public:
  explicit Load(const Options& options);
  ~Load();

  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Throws Failure at the first thing that a server must not do. The result so far stays readable.
  void Run();

  const Result& result() const { return result_; }

 private:
  enum class Phase : uint8_t { kConnect, kWarmUp, kMeasure, kDrain, kClose, kDone };

  struct Slot {
    Slot(const Payload& payload, uint32_t index, uint32_t inflight, uint64_t count)
        : connection(payload, index, inflight), quota(count) {}

    Connection connection;
    uint64_t quota;  // messages yet to be handed over
    bool awaits_room = false;
  };

  // What StopMeasuring() subtracts.
  struct Start {
    uint64_t ns = 0;
    uint64_t verified = 0;
    double cpu_user_us = 0;
    double cpu_system_us = 0;
  };

  void OpenConnections();
  void OnEvents(uint32_t index, uint32_t events);
  void Receive(uint32_t index);
  void OnEchoes(Slot& slot, uint64_t first);
  void QueueNext(Slot& slot, uint64_t now_ns);
  void Flush(uint32_t index);
  void Watch(int operation, uint32_t index, uint32_t events);

  Start Snapshot(uint64_t now_ns) const;
  void AdvancePhase(uint64_t now_ns);
  void StartTraffic(uint64_t now_ns);
  void StartMeasuring(uint64_t now_ns);
  void StopMeasuring(uint64_t now_ns);
  void TellPhase(const char* name) const;
  void StartClosing();
  [[noreturn]] void FailStalled() const;

  const Options options_;
  const Payload payload_;
  int epoll_fd_;
  std::deque<Slot> slots_;
  std::vector<char> receive_buffer_;

  Phase phase_ = Phase::kConnect;
  bool sending_ = false;
  uint32_t open_ = 0;
  uint32_t closed_ = 0;
  uint64_t sent_ = 0;
  uint64_t last_bytes_ns_ = 0;  // when anything last came back
  Start start_;                 // of the phase
  Result result_;
};

}  // namespace ohws::bench
