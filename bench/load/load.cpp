#include "load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
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
constexpr uint64_t kMaxWaitNs = 10'000'000;
constexpr int kEventsATurn = 256;
constexpr uint64_t kChurnSources = 250;  // each has ports of its own: none runs out of them

double Seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

Load::Load(const Options& options)
    : options_(options),
      payload_(options.kind, options.size),
      tls_(options.ca_file.empty() ? nullptr : std::make_unique<TlsSettings>(options.ca_file)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      slots_(options.connections),
      receive_buffer_(kReceiveBytes),
      workload_(MakeWorkload(options_, *this)) {
  if (epoll_fd_ < 0) throw Failure(std::string("epoll_create1: ") + std::strerror(errno));
}

Load::~Load() { close(epoll_fd_); }

void Load::Run() {
  last_bytes_ns_ = start_.ns = NowNs();
  if (workload_->KeepsConnections()) OpenConnections();
  std::array<epoll_event, kEventsATurn> events{};
  while (phase_ != Phase::kDone) {
    const int count = Wait(events.data(), kEventsATurn);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      OnEvents(event.data.u32, event.events);
    }
    const uint64_t now_ns = NowNs();
    if (count > 0 || !workload_->AwaitsAnswers()) last_bytes_ns_ = now_ns;
    if (Seconds(now_ns - last_bytes_ns_) > options_.stall_seconds) FailStalled();
    if (sends()) workload_->OnTurn(now_ns);
    AdvancePhase(now_ns);
  }
}

int Load::Wait(epoll_event* events, int size) const {
  uint64_t wait_ns = kMaxWaitNs;
  if (sends()) {
    const uint64_t due_ns = workload_->NextTurnNs();
    const uint64_t now_ns = due_ns == UINT64_MAX ? 0 : NowNs();
    wait_ns = workload_->MaySleep() ? std::min(wait_ns, due_ns - std::min(due_ns, now_ns)) : 0;
  }
  const timespec timeout = {0, static_cast<long>(wait_ns)};
  return epoll_pwait2(epoll_fd_, events, size, &timeout, nullptr);
}

// Keeps some handshakes under way until all connections are open.
void Load::OpenConnections() {
  while (begun_ < options_.connections && begun_ - opened_ < kMaxUnopened) {
    Open(static_cast<uint32_t>(begun_));
  }
}

void Load::Open(uint32_t index) {
  const uint64_t source = workload_->KeepsConnections() ? 0 : 1 + begun_ % kChurnSources;
  ++begun_;
  slots_[index] = {std::make_unique<Connection>(payload_, tls_.get(), index, sender_of(index))};
  connection(index).transport().Connect(options_.port, static_cast<uint8_t>(source));
  Watch(EPOLL_CTL_ADD, index, EPOLLOUT);
}

void Load::Send(uint32_t index, uint64_t count) {
  connection(index).Queue(count);
  sent_ += count;
  Flush(index);
}

void Load::Close(uint32_t index) {
  connection(index).QueueClose();
  Flush(index);
}

void Load::OnEvents(uint32_t index, uint32_t events) {
  if (slots_[index].connection == nullptr) return;  // ended earlier in this turn
  if (connection(index).state() == Connection::State::kOpening) {
    connection(index).ContinueOpening(options_.port, options_.path);
    Watch(EPOLL_CTL_MOD, index, EPOLLIN);
    return;
  }
  if ((events & EPOLLOUT) != 0) Flush(index);
  if ((events & ~uint32_t{EPOLLOUT}) != 0) Receive(index);
}

void Load::Receive(uint32_t index) {
  while (ReceiveSome(index) && connection(index).transport().may_have_more()) {
  }
}

// False if nothing came or the connection is at its end.
bool Load::ReceiveSome(uint32_t index) {
  Connection& connection = this->connection(index);
  const long size = connection.transport().Read(receive_buffer_.data(), receive_buffer_.size());
  if (size < 0) return false;
  if (size == 0) {
    connection.OnEnd();
    return false;
  }

  const Connection::State state_before = connection.state();
  const uint64_t received_before = connection.received();
  connection.Take({receive_buffer_.data(), static_cast<size_t>(size)});
  const uint64_t received = connection.received();
  if (received != received_before) {
    if (received > this->connection(sender_of(index)).sent()) throw Failure("more echoes than messages");
    result_.verified += received - received_before;
    workload_->OnMessages(index, received_before, received, NowNs());
  }

  if (connection.state() == Connection::State::kDone) {
    OnDone(index);
    return false;
  }
  if (state_before == Connection::State::kUpgrading && connection.state() != state_before) {
    ++opened_;
    workload_->OnOpen(index);
    if (workload_->KeepsConnections()) OpenConnections();
  }
  Flush(index);
  return true;
}

void Load::OnDone(uint32_t index) {
  ++ended_;
  Watch(EPOLL_CTL_DEL, index, 0);
  if (workload_->KeepsConnections()) return;  // TCP ends with this program
  slots_[index].connection.reset();
  ++result_.verified;
  workload_->OnClosed(index, NowNs());
}

void Load::Flush(uint32_t index) {
  Slot& slot = slots_[index];
  const bool awaits_room = !slot.connection->Flush();
  if (awaits_room == slot.awaits_room) return;
  slot.awaits_room = awaits_room;
  Watch(EPOLL_CTL_MOD, index, awaits_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Load::Watch(int operation, uint32_t index, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = index;
  if (epoll_ctl(epoll_fd_, operation, slots_[index].connection->fd(), &event) < 0) {
    throw Failure(std::string("epoll_ctl: ") + std::strerror(errno));
  }
}

void Load::AdvancePhase(uint64_t now_ns) {
  const double elapsed = Seconds(now_ns - start_.ns);
  switch (phase_) {
    case Phase::kConnect:
      if (!workload_->KeepsConnections() || opened_ == options_.connections) StartTraffic(now_ns);
      break;
    case Phase::kWarmUp:
      if (elapsed >= options_.warmup_seconds) StartMeasuring(now_ns);
      break;
    case Phase::kMeasure:
      if (options_.messages == 0 ? elapsed >= options_.seconds : is_complete()) StopMeasuring(now_ns);
      break;
    case Phase::kDrain:
      if (result_.verified == due_messages()) StartClosing();
      break;
    case Phase::kClose:
      if (ended_ == begun_) phase_ = Phase::kDone;
      break;
    case Phase::kDone:
      break;
  }
}

// What must have come back, or ended, before the end.
uint64_t Load::due_messages() const {
  if (!workload_->KeepsConnections()) return begun_;
  return options_.mode == Mode::kFanout ? sent_ * options_.connections : sent_;
}

bool Load::is_complete() const {
  const uint64_t copies = options_.mode == Mode::kFanout ? options_.connections : 1;
  return result_.verified == options_.messages * copies;
}

void Load::StartTraffic(uint64_t now_ns) {
  result_.connect_seconds = Seconds(now_ns - start_.ns);
  phase_ = Phase::kWarmUp;
  start_.ns = now_ns;
  if (options_.messages != 0) StartMeasuring(now_ns);
  workload_->OnStart(now_ns);
}

void Load::StartMeasuring(uint64_t now_ns) {
  phase_ = Phase::kMeasure;
  measure_from_ns_ = now_ns;
  start_ = Snapshot(now_ns);
  TellPhase("measure");
}

void Load::StopMeasuring(uint64_t now_ns) {
  phase_ = Phase::kDrain;
  measure_until_ns_ = now_ns;
  const Start end = Snapshot(now_ns);
  TellPhase("drain");
  result_.seconds = Seconds(end.ns - start_.ns);
  result_.count = end.verified - start_.verified;
  result_.cpu_user_us = end.cpu_user_us - start_.cpu_user_us;
  result_.cpu_system_us = end.cpu_system_us - start_.cpu_system_us;
  workload_->OnStop();
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
  for (uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr) Close(index);
  }
}

void Load::FailStalled() const {
  const std::string nothing = " for " + std::to_string(options_.stall_seconds) + " s";
  if (phase_ == Phase::kConnect || (!workload_->KeepsConnections() && opened_ != begun_)) {
    throw Failure("hang: " + std::to_string(begun_ - opened_) + " handshakes unanswered" + nothing);
  }
  if (phase_ != Phase::kClose && workload_->KeepsConnections()) {
    for (uint32_t index = 0; index < options_.connections; ++index) {
      const uint64_t received = slots_[index].connection->received();
      if (received == slots_[sender_of(index)].connection->sent()) continue;
      throw Failure("hang: connection " + std::to_string(index) + " waits for message " +
                    std::to_string(received) + ", " + std::to_string(due_messages() - result_.verified) +
                    " messages lost in all, nothing" + nothing);
    }
  }
  throw Failure("hang: " + std::to_string(begun_ - ended_) + " connections without a close frame" + nothing);
}

}  // namespace ohws::bench
