#include "load.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "failure.h"

namespace ohws::bench {
namespace {

constexpr size_t kReceiveBytes = 256 * 1024;
constexpr uint32_t kMaxUnopened = 128;  // below the backlog of any listener
constexpr int kMaxWaitMs = 10;
constexpr size_t kEventsATurn = 256;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

double Seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

Load::Load(const Options& options)
    : options_(options),
      payload_(options.kind, options.size),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      receive_buffer_(kReceiveBytes) {
  if (epoll_fd_ < 0) throw Failure(std::string("epoll_create1: ") + std::strerror(errno));
}

Load::~Load() { close(epoll_fd_); }

void Load::Run() {
  last_bytes_ns_ = start_.ns = NowNs();
  OpenConnections();
  std::array<epoll_event, kEventsATurn> events{};
  while (phase_ != Phase::kDone) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), kMaxWaitMs);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      OnEvents(event.data.u32, event.events);
    }
    const uint64_t now_ns = NowNs();
    if (count > 0) last_bytes_ns_ = now_ns;
    if (Seconds(now_ns - last_bytes_ns_) > options_.stall_seconds) FailStalled();
    AdvancePhase(now_ns);
  }
}

// Keeps some handshakes under way until all connections are open.
void Load::OpenConnections() {
  while (slots_.size() < options_.connections && slots_.size() - open_ < kMaxUnopened) {
    const uint32_t index = static_cast<uint32_t>(slots_.size());
    const uint64_t share =
        options_.messages / options_.connections + (index < options_.messages % options_.connections ? 1 : 0);
    Slot& slot =
        slots_.emplace_back(payload_, index, options_.inflight, options_.messages == 0 ? UINT64_MAX : share);
    slot.connection.Connect(options_.port);
    Watch(EPOLL_CTL_ADD, index, EPOLLOUT);
  }
}

void Load::OnEvents(uint32_t index, uint32_t events) {
  Connection& connection = slots_[index].connection;
  if (connection.state() == Connection::State::kConnecting) {
    connection.SendUpgradeRequest(options_.port, options_.path);
    Watch(EPOLL_CTL_MOD, index, EPOLLIN);
    return;
  }
  if ((events & EPOLLOUT) != 0) Flush(index);
  if ((events & ~uint32_t{EPOLLOUT}) != 0) Receive(index);
}

void Load::Receive(uint32_t index) {
  Slot& slot = slots_[index];
  Connection& connection = slot.connection;
  const ssize_t size = recv(connection.fd(), receive_buffer_.data(), receive_buffer_.size(), 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) {
    connection.OnEnd();
    return;
  }

  const Connection::State state_before = connection.state();
  const uint64_t echoed_before = connection.echoed();
  connection.Take({receive_buffer_.data(), static_cast<size_t>(size)});
  if (connection.echoed() != echoed_before) OnEchoes(slot, echoed_before);

  if (connection.state() == Connection::State::kDone) {
    ++closed_;
    Watch(EPOLL_CTL_DEL, index, 0);
    return;
  }
  if (state_before == Connection::State::kUpgrading && connection.state() == Connection::State::kOpen) {
    ++open_;
    OpenConnections();
  }
  Flush(index);
}

// Counts the echoes from `first` on and replaces each by a new message.
void Load::OnEchoes(Slot& slot, uint64_t first) {
  const uint64_t now_ns = NowNs();
  const uint64_t end = slot.connection.echoed();
  if (end > slot.connection.sent()) throw Failure("more echoes than messages");
  result_.verified += end - first;
  for (uint64_t sequence = first; sequence < end; ++sequence) {
    if (phase_ == Phase::kMeasure) {
      result_.latency_ns.Add(now_ns - slot.connection.QueuedAt(sequence));
    }
    QueueNext(slot, now_ns);
  }
}

void Load::QueueNext(Slot& slot, uint64_t now_ns) {
  if (!sending_ || slot.quota == 0) return;
  --slot.quota;
  ++sent_;
  slot.connection.Queue(now_ns);
}

void Load::Flush(uint32_t index) {
  Slot& slot = slots_[index];
  const bool awaits_room = !slot.connection.Flush();
  if (awaits_room == slot.awaits_room) return;
  slot.awaits_room = awaits_room;
  Watch(EPOLL_CTL_MOD, index, awaits_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Load::Watch(int operation, uint32_t index, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = index;
  if (epoll_ctl(epoll_fd_, operation, slots_[index].connection.fd(), &event) < 0) {
    throw Failure(std::string("epoll_ctl: ") + std::strerror(errno));
  }
}

void Load::AdvancePhase(uint64_t now_ns) {
  const double elapsed = Seconds(now_ns - start_.ns);
  switch (phase_) {
    case Phase::kConnect:
      if (open_ == options_.connections) StartTraffic(now_ns);
      break;
    case Phase::kWarmUp:
      if (elapsed >= options_.warmup_seconds) StartMeasuring(now_ns);
      break;
    case Phase::kMeasure:
      if (options_.messages == 0 ? elapsed >= options_.seconds : result_.verified == options_.messages) {
        StopMeasuring(now_ns);
      }
      break;
    case Phase::kDrain:
      if (result_.verified == sent_) StartClosing();
      break;
    case Phase::kClose:
      if (closed_ == options_.connections) phase_ = Phase::kDone;
      break;
    case Phase::kDone:
      break;
  }
}

void Load::StartTraffic(uint64_t now_ns) {
  result_.connect_seconds = Seconds(now_ns - start_.ns);
  phase_ = Phase::kWarmUp;
  start_.ns = now_ns;
  if (options_.messages != 0) StartMeasuring(now_ns);
  sending_ = true;
  for (uint32_t index = 0; index < options_.connections; ++index) {
    for (uint32_t i = 0; i < options_.inflight; ++i) QueueNext(slots_[index], NowNs());
    Flush(index);
  }
}

void Load::StartMeasuring(uint64_t now_ns) {
  phase_ = Phase::kMeasure;
  start_ = Snapshot(now_ns);
  TellPhase("measure");
}

void Load::StopMeasuring(uint64_t now_ns) {
  phase_ = Phase::kDrain;
  sending_ = false;
  const Start end = Snapshot(now_ns);
  TellPhase("drain");
  result_.seconds = Seconds(end.ns - start_.ns);
  result_.messages = end.verified - start_.verified;
  result_.cpu_user_us = end.cpu_user_us - start_.cpu_user_us;
  result_.cpu_system_us = end.cpu_system_us - start_.cpu_system_us;
}

Load::Start Load::Snapshot(uint64_t now_ns) const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {now_ns, result_.verified, Microseconds(usage.ru_utime), Microseconds(usage.ru_stime)};
}

void Load::TellPhase(const char* name) const {
  if (!options_.phases) return;
  std::printf("{\"phase\":\"%s\"}\n", name);
  std::fflush(stdout);
}

void Load::StartClosing() {
  phase_ = Phase::kClose;
  for (uint32_t index = 0; index < options_.connections; ++index) {
    slots_[index].connection.QueueClose();
    Flush(index);
  }
}

void Load::FailStalled() const {
  const std::string seconds = std::to_string(options_.stall_seconds);
  if (phase_ == Phase::kConnect) {
    throw Failure("hang: " + std::to_string(slots_.size() - open_) + " handshakes unanswered for " + seconds +
                  " s");
  }
  for (uint32_t index = 0; index < options_.connections; ++index) {
    const Connection& connection = slots_[index].connection;
    if (connection.echoed() != connection.sent()) {
      throw Failure("hang: connection " + std::to_string(index) + " waits for message " +
                    std::to_string(connection.echoed()) + ", " + std::to_string(sent_ - result_.verified) +
                    " messages lost in all, nothing for " + seconds + " s");
    }
  }
  throw Failure("hang: " + std::to_string(options_.connections - closed_) +
                " connections without a close frame for " + seconds + " s");
}

}  // namespace ohws::bench
