// Poller over epoll, an eventfd and a timerfd.
#include "engine/poller.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace ohws {

namespace {

class EpollPoller final : public Poller {
 public:
  EpollPoller()
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = kOwnEvent;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
    epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  }
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;
  ~EpollPoller() override {
    close(timer_);
    close(wake_);
    close(epoll_);
  }
  bool ok() const { return epoll_ >= 0 && wake_ >= 0 && timer_ >= 0; }

  void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) override {
    const auto index = static_cast<size_t>(fd);
    if (index >= watched_.size()) watched_.resize(index + index / 2 + 64);
    Watched& watched = watched_[index];
    watched.generation = generation;
    watched.edge_due = false;
    if (mode == Mode::kLevel) {
      Set(fd, watched, (read ? kRead : 0U) | (write ? kWrite : 0U));
    } else if (watched.in_kernel == kRead && !write) {
      // A connection that ends with its next event, as many do, is not worth a system call more.
      watched.edge_due = true;
    } else {
      Set(fd, watched, write ? kEdge | kWrite : kEdge);
    }
  }

  void Forget(int fd, bool closing) override {
    const auto index = static_cast<size_t>(fd);
    if (index >= watched_.size()) return;
    // The kernel takes out what is closed.
    if (!closing) Set(fd, watched_[index], 0);
    watched_[index] = {};
  }

  void Rearm(int fd, bool /*read*/, bool write) override {
    if (!write) return;
    Watched& watched = watched_[static_cast<size_t>(fd)];
    watched.edge_due = false;
    Set(fd, watched, kEdge | kWrite);
  }

  size_t Wait(std::span<Event> events, int timeout_ms) override {
    for (const int fd : edges_due_) {
      Watched& watched = watched_[static_cast<size_t>(fd)];
      if (std::exchange(watched.edge_due, false)) Set(fd, watched, kEdge);
    }
    edges_due_.clear();
    const size_t room = std::min(events.size(), happened_.size());
    const int count = epoll_wait(epoll_, happened_.data(), static_cast<int>(room), timeout_ms);
    size_t filled = 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = happened_[static_cast<size_t>(i)];
      // The counters of the eventfd and the timer are never read: an edge comes with every write, and every
      // time.
      if (event.data.u64 == kOwnEvent) continue;
      const auto fd = static_cast<int>(event.data.u64 & 0xffffffffU);
      if (watched_[static_cast<size_t>(fd)].edge_due) edges_due_.push_back(fd);
      events[filled++] = {fd,
                          static_cast<uint32_t>(event.data.u64 >> 32),
                          (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0,
                          (event.events & EPOLLOUT) != 0,
                          (event.events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0,
                          (event.events & EPOLLHUP) != 0};
    }
    return filled;
  }

  void Wake() override {
    const uint64_t one = 1;
    // Fails only when the counter is full, after 2^64 wakes.
    if (write(wake_, &one, sizeof(one)) < 0) return;
  }

  int descriptor() const override { return epoll_; }

  void BeReadableAt(uint64_t at_ms) override {
    itimerspec moment{};
    moment.it_value.tv_sec = static_cast<time_t>(at_ms / 1000);
    moment.it_value.tv_nsec = static_cast<long>(at_ms % 1000) * 1'000'000;
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &moment, nullptr);
  }

 private:
  static constexpr uint64_t kOwnEvent = ~uint64_t{0};
  static constexpr uint32_t kRead = EPOLLIN;
  static constexpr uint32_t kWrite = EPOLLOUT;
  static constexpr uint32_t kEdge = EPOLLIN | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);

  struct Watched {
    uint32_t generation = 0;
    uint32_t in_kernel = 0;  // the events that epoll watches; 0: not in the set
    bool edge_due = false;   // watched for kRead, and from its next event on for kEdge
  };

  void Set(int fd, Watched& watched, uint32_t want) {
    if (want == watched.in_kernel) return;
    epoll_event event{};
    event.events = want;
    event.data.u64 = static_cast<uint64_t>(watched.generation) << 32 | static_cast<uint32_t>(fd);
    // Nothing wanted means out of the set: a descriptor in it always reports its errors, and one that is not
    // read from would keep the loop spinning on them.
    const int operation = want == 0 ? EPOLL_CTL_DEL : watched.in_kernel == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_ctl(epoll_, operation, fd, &event);
    watched.in_kernel = want;
  }

  const int epoll_;
  const int wake_;
  const int timer_;
  std::array<epoll_event, 256> happened_{};
  std::vector<Watched> watched_;  // by descriptor
  std::vector<int> edges_due_;    // had an event while `edge_due`
};

}  // namespace

std::unique_ptr<Poller> Poller::CreateEpoll() {
  auto poller = std::make_unique<EpollPoller>();
  if (!poller->ok()) return nullptr;
  return poller;
}

}  // namespace ohws

#else

namespace ohws {
std::unique_ptr<Poller> Poller::CreateEpoll() { return nullptr; }
}  // namespace ohws

#endif
