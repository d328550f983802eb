// The load: opens the connections, lets the workload use them, measures, and ends in order.
// One thread, one epoll set.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "histogram.h"
#include "options.h"
#include "payload.h"
#include "transport.h"
#include "workload.h"

namespace ohws::bench {

// On a clock that only goes forward.
uint64_t NowNs();

// What is counted: messages that came back; where connections are not kept, those that ended.
struct Result {
  uint64_t count = 0;     // within the measured time
  uint64_t verified = 0;  // all of them, warm-up and end included
  double seconds = 0;
  double connect_seconds = 0;  // from the first connect to the last upgrade
  double cpu_user_us = 0;      // of this process, within the measured time
  double cpu_system_us = 0;
  Histogram latency_ns;
  Histogram lateness_ns;  // of a timetable: how long after their time messages were handed over
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

  // For the workload.
  bool sends() const { return phase_ == Phase::kWarmUp || phase_ == Phase::kMeasure; }
  bool measures() const { return phase_ == Phase::kMeasure; }
  bool WasMeasuredAt(uint64_t ns) const { return ns >= measure_from_ns_ && ns < measure_until_ns_; }
  void AddLatency(uint64_t ns) { result_.latency_ns.Add(ns); }
  void AddLateness(uint64_t ns) { result_.lateness_ns.Add(ns); }
  void Send(uint32_t index, uint64_t count);
  void Open(uint32_t index);
  void Close(uint32_t index);

 private:
  enum class Phase : uint8_t { kConnect, kWarmUp, kMeasure, kDrain, kClose, kDone };

  struct Slot {
    std::unique_ptr<Connection> connection;
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
  int Wait(epoll_event* events, int size) const;
  void OnEvents(uint32_t index, uint32_t events);
  void Receive(uint32_t index);
  bool ReceiveSome(uint32_t index);
  void OnDone(uint32_t index);
  void Flush(uint32_t index);
  void Watch(int operation, uint32_t index, uint32_t events);

  Connection& connection(uint32_t index) { return *slots_[index].connection; }
  uint32_t sender_of(uint32_t index) const { return options_.mode == Mode::kFanout ? 0 : index; }
  uint64_t due_messages() const;
  bool is_complete() const;

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
  const std::unique_ptr<TlsSettings> tls_;
  int epoll_fd_;
  std::vector<Slot> slots_;
  std::vector<char> receive_buffer_;
  const std::unique_ptr<Workload> workload_;

  Phase phase_ = Phase::kConnect;
  uint64_t begun_ = 0;          // connections that began to open
  uint64_t opened_ = 0;         // that are open, or were
  uint64_t ended_ = 0;          // that ended in order
  uint64_t sent_ = 0;           // messages handed over
  uint64_t last_bytes_ns_ = 0;  // when anything last came back
  uint64_t measure_from_ns_ = UINT64_MAX;
  uint64_t measure_until_ns_ = UINT64_MAX;
  Start start_;  // of the phase
  Result result_;
};

}  // namespace ohws::bench
