#include "workload.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "load.h"

namespace ohws::bench {
namespace {

// When each message under way was handed over: a ring by sequence number.
class Clock {
 public:
  explicit Clock(uint32_t inflight) : at_ns_(std::bit_ceil(inflight)) {}

  void Set(uint64_t sequence, uint64_t ns) { at_ns_[sequence & (at_ns_.size() - 1)] = ns; }
  uint64_t Get(uint64_t sequence) const { return at_ns_[sequence & (at_ns_.size() - 1)]; }

 private:
  std::vector<uint64_t> at_ns_;
};

// Keeps so many messages going round on each connection: who is answered sends the next one.
class Echo final : public Workload {
 public:
  Echo(const Options& options, Load& load) : load_(load), inflight_(options.inflight) {
    for (uint32_t index = 0; index < options.connections; ++index) {
      const uint64_t share =
          options.messages / options.connections + (index < options.messages % options.connections ? 1 : 0);
      slots_.push_back({Clock(inflight_), options.messages == 0 ? UINT64_MAX : share});
    }
  }

  void OnStart(uint64_t) override {
    for (uint32_t index = 0; index < slots_.size(); ++index) Send(index, inflight_, NowNs());
  }

  void OnMessages(uint32_t index, uint64_t first, uint64_t end, uint64_t now_ns) override {
    if (load_.measures()) {
      for (uint64_t i = first; i < end; ++i) load_.AddLatency(now_ns - slots_[index].clock.Get(i));
    }
    Send(index, end - first, now_ns);
  }

 private:
  struct Slot {
    Clock clock;
    uint64_t quota;  // messages yet to be handed over
    uint64_t sent = 0;
  };

  void Send(uint32_t index, uint64_t wanted, uint64_t now_ns) {
    if (!load_.sends()) return;
    Slot& slot = slots_[index];
    const uint64_t count = std::min(wanted, slot.quota);
    slot.quota -= count;
    for (uint64_t i = 0; i < count; ++i) slot.clock.Set(slot.sent++, now_ns);
    load_.Send(index, count);
  }

  Load& load_;
  const uint32_t inflight_;
  std::vector<Slot> slots_;
};

// A timetable has a line for each so many nanoseconds: fewer turns of the loop, so that the load
// does not take the server's time.
constexpr uint64_t kTickNs = 100'000;

// Sends by a timetable, whatever the server does: `inflight` messages at a time, each time on the
// next connection. A latency counts from the time in the table, so a server that stalls is charged
// for all that it made wait (no coordinated omission). It never sleeps: to be woken by a timer, or by each
// answer, takes a third of its time on a virtual machine, and a load that is late says nothing about the
// server.
class Paced final : public Workload {
 public:
  Paced(const Options& options, Load& load)
      : load_(load),
        burst_(options.inflight),
        connections_(options.connections),
        interval_ns_(1e9 * options.inflight / options.rate),
        bursts_(options.messages == 0 ? UINT64_MAX : options.messages / options.inflight) {}

  void OnStart(uint64_t now_ns) override { start_ns_ = now_ns; }

  void OnTurn(uint64_t now_ns) override {
    for (; next_ < bursts_ && DueNs(next_) <= now_ns; ++next_) {
      const uint64_t due_ns = DueNs(next_);
      if (load_.WasMeasuredAt(due_ns)) load_.AddLateness(NowNs() - due_ns);
      load_.Send(static_cast<uint32_t>(next_ % connections_), burst_);
    }
  }

  bool MaySleep() const override { return false; }
  uint64_t NextTurnNs() const override { return next_ < bursts_ ? DueNs(next_) : UINT64_MAX; }

  void OnMessages(uint32_t index, uint64_t first, uint64_t end, uint64_t now_ns) override {
    for (uint64_t sequence = first; sequence < end; ++sequence) {
      const uint64_t due_ns = DueNs(sequence / burst_ * connections_ + index);
      if (load_.WasMeasuredAt(due_ns)) load_.AddLatency(now_ns - due_ns);
    }
  }

 private:
  uint64_t DueNs(uint64_t burst) const {
    const uint64_t after_ns = static_cast<uint64_t>(static_cast<double>(burst) * interval_ns_);
    return start_ns_ + after_ns / kTickNs * kTickNs;
  }

  Load& load_;
  const uint64_t burst_;
  const uint64_t connections_;
  const double interval_ns_;
  const uint64_t bursts_;
  uint64_t start_ns_ = 0;
  uint64_t next_ = 0;
};

// The first connection sends, the server passes each message to all; the next one is sent when
// everybody has it.
class Fanout final : public Workload {
 public:
  Fanout(const Options& options, Load& load)
      : load_(load),
        inflight_(options.inflight),
        connections_(options.connections),
        quota_(options.messages == 0 ? UINT64_MAX : options.messages),
        clock_(inflight_),
        arrived_(std::bit_ceil(inflight_)) {}

  void OnStart(uint64_t now_ns) override {
    for (uint32_t i = 0; i < inflight_; ++i) Send(now_ns);
  }

  void OnMessages(uint32_t, uint64_t first, uint64_t end, uint64_t now_ns) override {
    for (uint64_t sequence = first; sequence < end; ++sequence) {
      if (load_.measures()) load_.AddLatency(now_ns - clock_.Get(sequence));
      uint32_t& arrived = arrived_[sequence & (arrived_.size() - 1)];
      if (++arrived < connections_) continue;
      arrived = 0;
      Send(now_ns);
    }
  }

 private:
  void Send(uint64_t now_ns) {
    if (!load_.sends() || quota_ == 0) return;
    --quota_;
    clock_.Set(sent_++, now_ns);
    load_.Send(0, 1);
  }

  Load& load_;
  const uint32_t inflight_;
  const uint32_t connections_;
  uint64_t quota_;
  Clock clock_;
  std::vector<uint32_t> arrived_;  // deliveries of each message under way
  uint64_t sent_ = 0;
};

// Leaves the connections alone. Afterwards one message goes round on each, to see that it lives.
class Idle final : public Workload {
 public:
  Idle(const Options& options, Load& load) : load_(load), connections_(options.connections) {}

  void OnStart(uint64_t) override {}
  void OnMessages(uint32_t, uint64_t, uint64_t, uint64_t) override {}
  bool AwaitsAnswers() const override { return !load_.sends(); }
  void OnStop() override {
    for (uint32_t index = 0; index < connections_; ++index) load_.Send(index, 1);
  }

 private:
  Load& load_;
  const uint32_t connections_;
};

// Opens a connection, closes it with the close handshake, and opens the next in its place.
class Churn final : public Workload {
 public:
  Churn(const Options& options, Load& load)
      : load_(load),
        quota_(options.messages == 0 ? UINT64_MAX : options.messages),
        opened_at_ns_(options.connections) {}

  bool KeepsConnections() const override { return false; }

  void OnStart(uint64_t) override {
    for (uint32_t index = 0; index < opened_at_ns_.size(); ++index) Open(index, NowNs());
  }

  void OnMessages(uint32_t, uint64_t, uint64_t, uint64_t) override {}
  void OnOpen(uint32_t index) override { load_.Close(index); }

  void OnClosed(uint32_t index, uint64_t now_ns) override {
    if (load_.measures()) load_.AddLatency(now_ns - opened_at_ns_[index]);
    Open(index, now_ns);
  }

 private:
  void Open(uint32_t index, uint64_t now_ns) {
    if (!load_.sends() || quota_ == 0) return;
    --quota_;
    opened_at_ns_[index] = now_ns;
    load_.Open(index);
  }

  Load& load_;
  uint64_t quota_;
  std::vector<uint64_t> opened_at_ns_;
};

}  // namespace

std::unique_ptr<Workload> MakeWorkload(const Options& options, Load& load) {
  switch (options.mode) {
    case Mode::kEcho:
      return std::make_unique<Echo>(options, load);
    case Mode::kPaced:
      return std::make_unique<Paced>(options, load);
    case Mode::kFanout:
      return std::make_unique<Fanout>(options, load);
    case Mode::kIdle:
      return std::make_unique<Idle>(options, load);
    case Mode::kChurn:
      return std::make_unique<Churn>(options, load);
  }
  return nullptr;
}

}  // namespace ohws::bench
