// Poller over epoll, an eventfd and a timerfd.
#include "engine/poller.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
    uint32_t want =
        (read ? static_cast<uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<uint32_t>(EPOLLOUT) : 0U);
    if (mode == Mode::kEdge) want = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);
    const auto index = static_cast<size_t>(fd);
    if (index >= in_kernel_.size()) in_kernel_.resize(index + index / 2 + 64);
    uint32_t& in_kernel = in_kernel_[index];
    if (want == in_kernel) return;
    epoll_event event{};
    event.events = want;
    event.data.u64 = static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(fd);
    // Nothing wanted means out of the set: a descriptor in it always reports its errors, and one that is not
    // read from would keep the loop spinning on them.
    const int operation = want == 0 ? EPOLL_CTL_DEL : in_kernel == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_ctl(epoll_, operation, fd, &event);
    in_kernel = want;
  }

  void Forget(int fd, bool closing) override {
    const auto index = static_cast<size_t>(fd);
    if (index >= in_kernel_.size() || in_kernel_[index] == 0) return;
    // The kernel takes out what is closed.
    if (!closing) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    in_kernel_[index] = 0;
  }

  void Rearm(int, bool, bool) override {}

  size_t Wait(std::span<Event> events, int timeout_ms) override {
    const size_t room = std::min(events.size(), happened_.size());
    const int count = epoll_wait(epoll_, happened_.data(), static_cast<int>(room), timeout_ms);
    size_t filled = 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = happened_[static_cast<size_t>(i)];
      // The counters of the eventfd and the timer are never read: an edge comes with every write, and every
      // time.
      if (event.data.u64 == kOwnEvent) continue;
      events[filled++] = {static_cast<int>(event.data.u64 & 0xffffffffU),
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

  const int epoll_;
  const int wake_;
  const int timer_;
  std::array<epoll_event, 256> happened_{};
  std::vector<uint32_t> in_kernel_;  // by descriptor: the events that epoll watches; 0: not in the set
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
