// Poller over poll(2) and a pipe. Every wait looks at every descriptor.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "engine/poller.h"

namespace ohws {

namespace {

class PollPoller final : public Poller {
 public:
  PollPoller() {
    if (pipe(wake_.data()) != 0) return;
    for (const int fd : wake_) {
      fcntl(fd, F_SETFL, O_NONBLOCK);
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    watched_.push_back({wake_[0], POLLIN, 0});
    meta_.push_back({});
  }
  PollPoller(const PollPoller&) = delete;
  PollPoller& operator=(const PollPoller&) = delete;
  ~PollPoller() override {
    close(wake_[0]);
    close(wake_[1]);
  }
  bool ok() const { return wake_[0] >= 0; }

  void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) override {
    const size_t at = IndexOf(fd);
    meta_[at] = {generation, mode};
    const bool edge = mode == Mode::kEdge;
    Want(at, read || edge, write || edge);
  }

  void Forget(int fd) override {
    const auto index = static_cast<size_t>(fd);
    if (index >= index_.size() || index_[index] == 0) return;
    const size_t at = index_[index];
    watched_[at] = watched_.back();
    meta_[at] = meta_.back();
    index_[static_cast<size_t>(fd_of_[watched_.size() - 1])] = at;
    fd_of_[at] = fd_of_[watched_.size() - 1];
    watched_.pop_back();
    meta_.pop_back();
    index_[index] = 0;
  }

  void Rearm(int fd, bool read, bool write) override { Want(IndexOf(fd), read, write); }

  size_t Wait(std::span<Event> events, int timeout_ms) override {
    if (poll(watched_.data(), static_cast<nfds_t>(watched_.size()), timeout_ms) <= 0) return 0;
    if (watched_[0].revents != 0) {
      std::array<char, 64> rings{};
      while (read(wake_[0], rings.data(), rings.size()) > 0) continue;
    }
    size_t filled = 0;
    for (size_t at = 1; at < watched_.size() && filled < events.size(); ++at) {
      const short happened = watched_[at].revents;
      if (happened == 0 || watched_[at].fd < 0) continue;
      events[filled++] = {watched_[at].fd,
                          meta_[at].generation,
                          (happened & (POLLIN | POLLERR | POLLHUP)) != 0,
                          (happened & POLLOUT) != 0,
                          (happened & (POLLERR | POLLHUP)) != 0,
                          (happened & POLLHUP) != 0};
      if (meta_[at].mode == Mode::kEdge) Want(at, false, false);
    }
    return filled;
  }

  void Wake() override {
    const char one = 1;
    // Fails only when the pipe is full, which wakes as well.
    if (write(wake_[1], &one, 1) < 0) return;
  }

 private:
  struct Meta {
    uint32_t generation = 0;
    Mode mode = Mode::kLevel;
  };

  size_t IndexOf(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= index_.size()) index_.resize(index + index / 2 + 64);
    if (index_[index] == 0) {
      index_[index] = watched_.size();
      watched_.push_back({-1, 0, 0});
      meta_.push_back({});
      fd_of_.resize(watched_.size());
      fd_of_.back() = fd;
    }
    return index_[index];
  }

  // A descriptor of which nothing is wanted is hidden, since its errors would be reported again and again.
  void Want(size_t at, bool read, bool write) {
    watched_[at].events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
    watched_[at].fd = watched_[at].events == 0 ? -1 : fd_of_[at];
    watched_[at].revents = 0;
  }

  std::array<int, 2> wake_{-1, -1};
  std::vector<pollfd> watched_;  // the pipe first
  std::vector<Meta> meta_;       // of each
  std::vector<int> fd_of_{-1};   // of each
  std::vector<size_t> index_;    // by descriptor: its place, 0 if it has none
};

}  // namespace

std::unique_ptr<Poller> Poller::CreatePoll() {
  auto poller = std::make_unique<PollPoller>();
  if (!poller->ok()) return nullptr;
  return poller;
}

}  // namespace ohws
