// Poller over poll(2), or what the system has in its place. Every wait looks at every socket.
#include <vector>

#include "engine/poller.h"
#include "engine/sockets.h"

namespace ohws {

namespace {

class PollPoller final : public Poller {
 public:
  bool ok() const { return bell_.ok(); }

  void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) override {
    Watched& watched = At(fd);
    watched.generation = generation;
    watched.mode = mode;
    watched.events = Wanted(read, write);
  }

  void Forget(int fd, bool /*closing*/) override {
    const auto index = static_cast<size_t>(fd);
    if (index >= place_.size() || place_[index] == kNowhere) return;
    const size_t at = place_[index];
    watched_[at] = watched_.back();
    place_[static_cast<size_t>(watched_[at].fd)] = at;
    watched_.pop_back();
    place_[index] = kNowhere;
  }

  void Rearm(int fd, bool read, bool write) override { At(fd).events = Wanted(read, write); }

  size_t Wait(std::span<Event> events, int timeout_ms) override {
    CollectAsked();
    if (PollSockets(asked_, timeout_ms) <= 0) return 0;
    if (asked_[0].revents != 0) bell_.Silence();
    size_t filled = 0;
    for (size_t n = 1; n < asked_.size() && filled < events.size(); ++n) {
      const short happened = asked_[n].revents;
      if (happened == 0) continue;
      Watched& watched = watched_[asked_places_[n]];
      const bool over = (happened & (POLLERR | POLLHUP)) != 0;
      // Not every system tells of room to write where a connect has failed; who waits for it has to hear.
      const bool writable = (happened & POLLOUT) != 0 || (over && (watched.events & POLLOUT) != 0);
      events[filled++] = {watched.fd, watched.generation,       over || (happened & POLLIN) != 0, writable,
                          over,       (happened & POLLHUP) != 0};
      if (watched.mode == Mode::kEdge)
        watched.events = static_cast<short>(over ? 0 : watched.events & ~happened);
    }
    return filled;
  }

  void Wake() override { bell_.Ring(); }

 private:
  static constexpr size_t kNowhere = ~size_t{0};

  struct Watched {
    int fd = -1;
    uint32_t generation = 0;
    Mode mode = Mode::kLevel;
    short events = 0;
  };

  static short Wanted(bool read, bool write) {
    return static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
  }

  Watched& At(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= place_.size()) place_.resize(index + index / 2 + 64, kNowhere);
    if (place_[index] == kNowhere) {
      place_[index] = watched_.size();
      watched_.emplace_back().fd = fd;
    }
    return watched_[place_[index]];
  }

  void Ask(int fd, short events, size_t place) {
    pollfd& asked = asked_.emplace_back();
    asked.fd = static_cast<decltype(asked.fd)>(fd);
    asked.events = events;
    asked_places_.push_back(place);
  }

  // A socket of which nothing is wanted is left out, since its errors would be reported again and again.
  void CollectAsked() {
    asked_.clear();
    asked_places_.clear();
    Ask(bell_.to_poll(), POLLIN, kNowhere);
    for (size_t place = 0; place < watched_.size(); ++place) {
      if (watched_[place].events != 0) Ask(watched_[place].fd, watched_[place].events, place);
    }
  }

  const Bell bell_;
  std::vector<Watched> watched_;
  std::vector<size_t> place_;         // by socket: where it is in `watched_`
  std::vector<pollfd> asked_;         // of this wait; the bell first
  std::vector<size_t> asked_places_;  // of each, in `watched_`
};

}  // namespace

std::unique_ptr<Poller> Poller::CreatePoll() {
  auto poller = std::make_unique<PollPoller>();
  if (!poller->ok()) return nullptr;
  return poller;
}

}  // namespace ohws
