// A turn that JavaScript's thread takes: it goes on with what it left unread, for some time, before the
// system is asked again what has come. The clock is the test's, and the stand-in thread never loses its
// patience.
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>

#include <atomic>

#include "engine_here.h"

namespace {

// Of the monotonic clock, in microseconds. It stands still.
std::atomic<uint64_t> clock_us = 0;
int asked = 0;  // how often the system was asked what has come

}  // namespace

// The linker sends calls here (--wrap).
extern "C" {
int __real_clock_gettime(clockid_t clock, timespec* now);
int __wrap_clock_gettime(clockid_t clock, timespec* now);
int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  if (clock != CLOCK_MONOTONIC || clock_us == 0) return __real_clock_gettime(clock, now);
  now->tv_sec = static_cast<time_t>(clock_us / 1'000'000);
  now->tv_nsec = static_cast<long>(clock_us % 1'000'000 * 1000);
  return 0;
}

int __real_epoll_wait(int epoll, epoll_event* events, int room, int timeout_ms);
int __wrap_epoll_wait(int epoll, epoll_event* events, int room, int timeout_ms);
int __wrap_epoll_wait(int epoll, epoll_event* events, int room, int timeout_ms) {
  ++asked;
  return __real_epoll_wait(epoll, events, room, timeout_ms);
}

int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                  const timespec* until);
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t /*clock*/,
                                  const timespec* /*until*/) {
  return pthread_cond_wait(condition, mutex);
}
}

namespace ohws::check {
namespace {

// Together more than one batch, and less than the ring.
constexpr size_t kClients = 24;
constexpr size_t kMessages = 60;
constexpr size_t kSize = 500;
constexpr uint64_t kTimeoutUs = 60'000'000;

void StopClock() {
  timespec now{};
  __real_clock_gettime(CLOCK_MONOTONIC, &now);
  // At the beginning of a millisecond.
  clock_us =
      (static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000) * 1000;
}

// An engine whose clients have all sent their messages.
class Crowd {
 public:
  Crowd() : port_((StopClock(), whole_.Listen({}))) {
    while (clients_.size() < kClients) clients_.emplace_back(port_).Send(kUpgrade);
    whole_.TurnsUntil(UpKind::kAccepted, kClients);
    whole_.Turn();
  }

  Engine& engine() { return whole_.engine(); }
  uint16_t port() const { return port_; }
  void Turn() { whole_.Turn(10); }

  void Send() const {
    std::string bytes;
    for (size_t i = 0; i < kMessages; ++i) {
      bytes.append("\x81\xfe\x01\xf4\0\0\0\0", 8).append(kSize, 'x');
    }
    for (const Client& client : clients_) client.Send(bytes);
  }
  // Messages that JavaScript has heard of since it looked last.
  size_t Look() {
    return static_cast<size_t>(
        std::ranges::count(whole_.Look(), UpKind::kText, &JavaScriptHere::Record::kind));
  }
  bool IsDue() {
    pollfd due{engine().descriptor(), POLLIN, 0};
    return poll(&due, 1, 0) > 0;
  }

 private:
  WholeEngine whole_;
  uint16_t port_;
  std::vector<Client> clients_;
};

TEST(a_turn_goes_on_with_what_it_left_unread) {
  Crowd crowd;
  crowd.Send();
  asked = 0;
  CHECK(crowd.engine().TakeTurn());
  size_t messages = crowd.Look();
  CHECK(messages > 0);
  CHECK(messages < kClients * kMessages);
  while (crowd.engine().has_unread() && crowd.engine().ReadOn()) messages += crowd.Look();
  CHECK_EQ(messages, kClients * kMessages);
  CHECK_EQ(asked, 1);
}

TEST(it_does_not_go_on_for_ever) {
  Crowd crowd;
  crowd.Send();
  CHECK(crowd.engine().TakeTurn());
  size_t messages = crowd.Look();
  CHECK(crowd.engine().has_unread());
  clock_us += 2000;
  CHECK(!crowd.engine().ReadOn());
  CHECK_EQ(crowd.Look(), 0U);
  // The rest is that of the next turn, which is due.
  CHECK(crowd.IsDue());
  CHECK(crowd.engine().TakeTurn());
  messages += crowd.Look();
  while (crowd.engine().has_unread() && crowd.engine().ReadOn()) messages += crowd.Look();
  CHECK_EQ(messages, kClients * kMessages);
}

TEST(no_deadline_is_served_before_the_system_was_asked_what_has_come) {
  Crowd crowd;
  const Client silent(crowd.port());
  crowd.Turn();
  clock_us += kTimeoutUs - 1000;
  crowd.Send();
  CHECK(crowd.engine().TakeTurn());
  size_t messages = crowd.Look();
  clock_us += 1000;
  while (crowd.engine().has_unread() && crowd.engine().ReadOn()) messages += crowd.Look();
  CHECK_EQ(silent.Receive(), "");
  CHECK(crowd.IsDue());
  crowd.engine().TakeTurn();
  messages += crowd.Look();
  CHECK(silent.Receive().starts_with("HTTP/1.1 408 "));
  while (crowd.engine().has_unread() && crowd.engine().ReadOn()) messages += crowd.Look();
  CHECK_EQ(messages, kClients * kMessages);
}

}  // namespace
}  // namespace ohws::check
